package proxy

import (
	"net/http"
	"time"
)

// linger is how long a client may go on sending content after its answer.
const linger = 5 * time.Second

// closing tells the client that its connection ends with the answer when there
// may be content left: what comes of it later must not be taken for a request.
func (x *exchange) closing() {
	if x.content != nil && !x.content.read.Load() {
		x.w.Header()["Connection"] = []string{"close"}
	}
}

// hurry bounds the wait of the library for what is left of the content, after
// the answer. A read that the transport still has under way is ended first:
// the library would end it itself, and take the deadline off. One that is about
// to begin sees that it is over, or is ended by the deadline.
func (x *exchange) hurry() {
	c := x.content
	if c.read.Load() {
		return
	}
	c.over.Store(true)
	rc := http.NewResponseController(x.w)
	_ = rc.SetReadDeadline(time.Unix(1, 0))
	c.mu.Lock()
	defer c.mu.Unlock()
	if x.o.Aborted { // to wait would only keep the client from learning of it
		return
	}
	_ = rc.SetReadDeadline(time.Now().Add(linger))
}
