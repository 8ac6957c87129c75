package main

import (
	"context"
	"errors"
	"os"
	"os/signal"
	"syscall"
)

// untilInterrupted returns a channel that is closed by the first ctrl-C or
// SIGTERM, and a context that ends with the second. done stops listening.
func untilInterrupted(parent context.Context) (ctx context.Context, stop <-chan struct{}, done func()) {
	ctx, cancel := context.WithCancelCause(parent)
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	first := make(chan struct{})
	go func() {
		for n := 0; ; n++ {
			select {
			case <-ctx.Done():
				return
			case <-signals:
			}
			switch n {
			case 0:
				close(first)
			case 1:
				cancel(errors.New("interrupted"))
			}
		}
	}()
	return ctx, first, func() {
		signal.Stop(signals)
		cancel(nil)
	}
}
