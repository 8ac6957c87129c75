package insight

import (
	"net/http"
	"time"
)

// slowest is how long a client may take for one event.
const slowest = 10 * time.Second

// events sends an overview each second, until the client leaves or the Insight
// is closed.
func (a *API) events(w http.ResponseWriter, r *http.Request) {
	next, ok := a.Insight.beats.listen(maxStreams)
	if !ok {
		refuse(w, http.StatusServiceUnavailable, "%d clients read events already: close one of them, or ask for /api/overview", maxStreams)
		return
	}
	defer a.Insight.beats.leave()
	w.Header().Set("Content-Type", "text/event-stream")
	if r.Method == http.MethodHead {
		return
	}
	out := http.NewResponseController(w)
	if _, err := w.Write([]byte(": one overview a second\n\n")); err != nil || out.Flush() != nil {
		return
	}
	for {
		select {
		case <-r.Context().Done():
			return
		case <-next.came:
		}
		if next.data == nil {
			return
		}
		// A writer without deadlines is one of a test: its writes do not wait.
		_ = out.SetWriteDeadline(time.Now().Add(slowest))
		if _, err := w.Write(event(next.data)); err != nil || out.Flush() != nil {
			return
		}
		next = next.next
	}
}

// event is a message of a stream (HTML Standard, 9.2.6). JSON has no line breaks.
func event(data []byte) []byte {
	b := make([]byte, 0, len(data)+8)
	return append(append(append(b, "data: "...), data...), "\n\n"...)
}
