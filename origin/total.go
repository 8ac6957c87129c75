package origin

import (
	"context"
	"net/http"
	"time"
)

// limited is the context of an exchange that has to be over in time.
type limited struct {
	context.Context
	cancel context.CancelCauseFunc
	timer  *time.Timer
}

// limit gives an exchange its total time.
func limit(ctx context.Context, total time.Duration) *limited {
	l := &limited{}
	l.Context, l.cancel = context.WithCancelCause(ctx)
	l.timer = time.AfterFunc(total, func() { l.cancel(timedOut(Timeout, "not complete within", total)) })
	return l
}

// lift lets a response go on for ever that is made for it.
func (l *limited) lift(resp *http.Response) {
	if eventStream(resp.Header) {
		l.timer.Stop()
	}
	if resp.StatusCode == http.StatusSwitchingProtocols { // the connection does not end with the context any more
		l.finish()
	}
}

func (l *limited) finish() {
	l.timer.Stop()
	l.cancel(nil)
}

// finish notes the end of an exchange.
func finish(ctx context.Context) {
	if l, ok := ctx.(*limited); ok {
		l.finish()
	}
}
