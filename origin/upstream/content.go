package upstream

import (
	"io"
	"net/http"
	"sync"
)

// content is the content of a request, over all its tries. The first reads it from
// the client; it is kept while that is done, as far as there is room. It can be
// sent again as long as nothing was read, or when all of it was kept.
type content struct {
	src    io.ReadCloser
	budget *Budget // that kept counts in

	mu    sync.Mutex
	room  int64 // for more to be kept; negative = it is not kept
	kept  []byte
	begun bool // something was read, or is about to be
	whole bool // all was read and kept
	last  bool // there will be no further try
	now   *reading
}

// reading is the content as one try gets it.
type reading struct {
	c        *content
	live     bool   // it reads from the client
	rest     []byte // otherwise, of what was kept
	retired  bool   // another try has taken its place
	finished bool   // it was closed
}

// newContent returns the content of a request, nil if it has none. It keeps up to
// room bytes, as far as the budget has room beside those of others.
func newContent(r *http.Request, room int64, budget *Budget) *content {
	if r.Body == nil || r.Body == http.NoBody {
		return nil
	}
	if r.ContentLength > room {
		room = -1
	}
	c := &content{src: r.Body, room: room, budget: budget}
	c.now = &reading{c: c, live: true}
	return c
}

// reader returns the content for the current try.
func (c *content) reader() *reading {
	if c == nil {
		return nil
	}
	return c.now
}

// repeatable reports whether the content could be sent once more.
func (c *content) repeatable() bool {
	if c == nil {
		return true
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return !c.begun || c.whole
}

// rewind makes ready for another try. It returns false if the content has been
// begun meanwhile.
func (c *content) rewind() bool {
	if c == nil {
		return true
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.begun && !c.whole {
		return false
	}
	c.now.retired = true
	c.now = &reading{c: c, live: !c.begun, rest: c.kept}
	return true
}

// settle says that the current try is the last one.
func (c *content) settle() {
	if c == nil {
		return
	}
	c.mu.Lock()
	c.last = true
	over := c.now.finished
	c.letGo()
	c.mu.Unlock()
	if over {
		c.src.Close()
	}
}

// abandon ends the current try before it has begun.
func (c *content) abandon() {
	if c == nil {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now.finished = true
}

func (r *reading) Read(p []byte) (int, error) {
	c := r.c
	c.mu.Lock()
	if r.retired || r.finished {
		c.mu.Unlock()
		return 0, http.ErrBodyReadAfterClose
	}
	if !r.live {
		defer c.mu.Unlock()
		if len(r.rest) == 0 {
			return 0, io.EOF
		}
		n := copy(p, r.rest)
		r.rest = r.rest[n:]
		return n, nil
	}
	c.begun = true
	c.mu.Unlock()
	n, err := c.src.Read(p) // which may wait for the client
	c.mu.Lock()
	defer c.mu.Unlock()
	c.keep(p[:n], err == io.EOF)
	return n, err
}

// keep keeps what was read, if all that came before was kept.
func (c *content) keep(b []byte, end bool) {
	if c.room -= int64(len(b)); c.room < 0 || c.last || !c.budget.hold(int64(len(b))) {
		c.letGo()
		return
	}
	c.kept = append(c.kept, b...)
	c.whole = c.whole || end
}

// letGo keeps nothing any more. The caller holds mu.
func (c *content) letGo() {
	c.budget.release(int64(len(c.kept)))
	c.kept, c.room, c.whole = nil, -1, false
}

// Close ends the reading, and with the last one the client's content.
func (r *reading) Close() error {
	c := r.c
	c.mu.Lock()
	over := !r.finished && !r.retired && c.last
	r.finished = true
	c.mu.Unlock()
	if over {
		return c.src.Close()
	}
	return nil
}
