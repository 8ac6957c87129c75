package admin

import (
	"io"
	"net/http"
	"time"
)

// patience is how long an operator's side of a long transfer may be silent.
const patience = 60 * time.Second

// pacedWriter fails when a client takes nothing for too long.
type pacedWriter struct {
	http.ResponseWriter
	begun bool // something was written
}

func (p *pacedWriter) Write(b []byte) (int, error) {
	p.begun = true
	_ = http.NewResponseController(p.ResponseWriter).SetWriteDeadline(time.Now().Add(patience)) // fails only where there is no connection
	return p.ResponseWriter.Write(b)
}

// pacedReader fails when a client sends nothing for too long.
type pacedReader struct {
	io.Reader
	c *http.ResponseController
}

func (p *pacedReader) Read(b []byte) (int, error) {
	_ = p.c.SetReadDeadline(time.Now().Add(patience))
	return p.Reader.Read(b)
}
