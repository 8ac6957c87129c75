package proxy

import (
	"io"
	"net/http"

	"cacheproxy/revalidate"
)

// large is from how many bytes on content that is not kept is moved by the
// kernel, where it can.
const large = 128 << 10

// splice sends a large body that is passed to one client past our memory. It
// returns false when that cannot be done; then nothing has happened.
func (x *exchange) splice(a *revalidate.Answer) bool {
	w, ok := x.w.(interface {
		http.ResponseWriter
		io.ReaderFrom
		CanSplice() bool
	})
	if !ok || !w.CanSplice() || a.Length < large {
		return false
	}
	body, ok := a.Body.(io.WriterTo)
	if !ok {
		return false
	}
	x.deadline()
	n, err := body.WriteTo(w)
	x.o.Bytes += n
	if err != nil {
		x.broke(err)
	}
	x.finish(err)
	return true
}
