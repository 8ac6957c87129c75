package admin

import (
	"context"
	"io"
	"log/slog"
	"net"
	"strconv"
	"sync"
	"time"

	"cacheproxy/proxy"
)

// jsonWriter writes an outcome as a JSON object. All keys are always there;
// what does not apply is empty, 0 or false.
func jsonWriter(w io.Writer) func(*proxy.Outcome) {
	h := slog.NewJSONHandler(w, &slog.HandlerOptions{ReplaceAttr: func(groups []string, a slog.Attr) slog.Attr {
		if a.Key == slog.LevelKey || a.Key == slog.MessageKey {
			return slog.Attr{} // every line would have the same
		}
		return a
	}})
	return func(o *proxy.Outcome) {
		refused := ""
		if o.Refused != 0 {
			refused = o.Refused.String()
		}
		r := slog.NewRecord(o.Start.UTC(), slog.LevelInfo, "", 0)
		r.AddAttrs(
			slog.String("method", o.Method),
			slog.String("host", o.Host),
			slog.String("uri", o.URI),
			slog.Int("status", o.Status),
			slog.String("status_from", o.From()),
			slog.Int64("bytes", o.Bytes),
			slog.Float64("duration_ms", millis(o.Duration)),
			slog.Float64("origin_ms", millis(o.OriginTime)),
			slog.String("action", o.Action.String()),
			slog.String("reason", o.Reason.String()),
			slog.String("refused", refused),
			slog.String("cache", o.CacheResult()),
			slog.Bool("collapsed", o.Collapsed),
			slog.Bool("aborted", o.Aborted),
			slog.String("route", o.Route),
			slog.String("target", o.Target),
			slog.String("error", o.Error),
			slog.String("remote", o.Remote),
			slog.String("request_id", o.RequestID),
			slog.String("user_agent", o.UserAgent),
			slog.String("referer", o.Referer),
		)
		_ = h.Handle(context.Background(), r) // lines takes everything
	}
}

// millis is a duration in milliseconds, to the microsecond.
func millis(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

// combinedWriter writes an outcome in the combined format of Apache and nginx,
// with "ACTION/REASON" behind it.
func combinedWriter(w io.Writer) func(*proxy.Outcome) {
	pool := sync.Pool{New: func() any { return new([]byte) }}
	return func(o *proxy.Outcome) {
		buf := pool.Get().(*[]byte)
		*buf = appendCombined((*buf)[:0], o)
		_, _ = w.Write(*buf) // lines takes everything
		pool.Put(buf)
	}
}

func appendCombined(b []byte, o *proxy.Outcome) []byte {
	host, _, err := net.SplitHostPort(o.Remote)
	if err != nil {
		host = o.Remote
	}
	b = appendEscaped(b, host)
	b = append(b, " - - ["...)
	b = o.Start.AppendFormat(b, "02/Jan/2006:15:04:05 -0700")
	b = append(b, `] "`...)
	b = appendEscaped(b, o.Method)
	b = append(b, ' ')
	b = appendEscaped(b, o.URI)
	b = append(b, ' ')
	b = appendEscaped(b, o.Proto)
	b = append(b, `" `...)
	b = strconv.AppendInt(b, int64(o.Status), 10)
	b = append(b, ' ')
	b = strconv.AppendInt(b, o.Bytes, 10)
	b = append(b, ` "`...)
	b = appendEscaped(b, o.Referer)
	b = append(b, `" "`...)
	b = appendEscaped(b, o.UserAgent)
	b = append(b, `" "`...)
	b = append(b, o.Action.String()...)
	b = append(b, '/')
	b = append(b, o.Reason.String()...)
	return append(b, "\"\n"...)
}

// appendEscaped writes a field so that it can end neither its quotes nor its
// line: whatever is not printable ASCII, and quotes and backslashes, become
// \xHH, as nginx does it. An empty field is a dash.
func appendEscaped(b []byte, s string) []byte {
	const hex = "0123456789ABCDEF"
	if s == "" {
		return append(b, '-')
	}
	for i := 0; i < len(s); i++ {
		c := s[i]
		if c < ' ' || c > '~' || c == '"' || c == '\\' {
			b = append(b, '\\', 'x', hex[c>>4], hex[c&15])
			continue
		}
		b = append(b, c)
	}
	return b
}
