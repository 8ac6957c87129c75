//go:build linux

package soak

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/stretchr/testify/require"

	"cacheproxy/internal/siege/rig"
)

// sample is what the proxy takes at a time.
type sample struct {
	At         time.Duration `json:"at_ns"` // since the start
	Goroutines int           `json:"goroutines"`
	Files      int           `json:"files"`
	RSS        int64         `json:"rss_bytes"`
	Anon       int64         `json:"anon_bytes"`
	Peak       int64         `json:"peak_rss_bytes"` // so far
	stacks     string
}

func (s sample) String() string {
	return fmt.Sprintf("%d goroutines, %d files, %d MiB resident", s.Goroutines, s.Files, s.RSS>>20)
}

func (w *world) look(start time.Time) (s sample, err error) {
	u, err := w.proxy.Usage()
	if err != nil {
		return s, err
	}
	s = sample{At: time.Since(start), Files: u.Files, RSS: u.RSS, Anon: u.Anon, Peak: u.Peak}
	s.Goroutines, s.stacks, err = w.proxy.Goroutines()
	return s, err
}

// watch looks twice a second until the context ends.
func (w *world) watch(ctx context.Context, start time.Time) (samples []sample) {
	for ctx.Err() == nil {
		s, err := w.look(start)
		if err != nil {
			w.Errorf("the proxy cannot be watched: %s", err)
			return samples
		}
		s.stacks = ""
		samples = append(samples, s)
		time.Sleep(500 * time.Millisecond)
	}
	return samples
}

// pause holds up all clients, and waits until three looks in a row see the same.
// Connections to origins are kept on purpose, so a reload replaces the origins
// first; each pause needs another time.
func (w *world) pause(start time.Time, connect time.Duration) (last sample) {
	w.atWork.Lock()
	defer w.atWork.Unlock()
	for _, way := range w.ways {
		way.http.CloseIdleConnections()
	}
	w.expect(okReloads, func() { w.configure(config{connect: connect}) })
	same := 0
	rig.Eventually(w, func() bool {
		now, err := w.look(start)
		require.NoError(w, err)
		if now.Goroutines == last.Goroutines && now.Files == last.Files {
			same++
		} else {
			same = 0
		}
		last = now
		return same >= 3
	}, func() string { return last.String() + "\n" + last.stacks })
	return last
}

// median is the one of each figure for itself.
func median(samples []sample) (m sample) {
	if len(samples) == 0 {
		return m
	}
	of := func(figure func(sample) int64) int64 {
		all := make([]int64, len(samples))
		for i, s := range samples {
			all[i] = figure(s)
		}
		slices.SortFunc(all, cmp.Compare[int64])
		return all[len(all)/2]
	}
	m.At = samples[0].At
	m.Goroutines = int(of(func(s sample) int64 { return int64(s.Goroutines) }))
	m.Files = int(of(func(s sample) int64 { return int64(s.Files) }))
	m.RSS = of(func(s sample) int64 { return s.RSS })
	m.Anon = of(func(s sample) int64 { return s.Anon })
	m.Peak = samples[len(samples)-1].Peak
	return m
}

// between are the samples of a window.
func between(samples []sample, from, to time.Duration) (in []sample) {
	for _, s := range samples {
		if s.At >= from && s.At < to {
			in = append(in, s)
		}
	}
	return in
}
