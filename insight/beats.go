package insight

import "sync"

// beats hands one message a second to all who listen. It is made only when
// somebody does.
type beats struct {
	mu        sync.Mutex
	listeners int
	next      *beat // that everybody waits for
	closed    bool
}

// beat is a message to come.
type beat struct {
	came chan struct{} // closed when data is there, or nothing will come any more
	data []byte        // nil: this was the end
	next *beat
}

func (b *beats) begin() { b.next = newBeat() }

func newBeat() *beat { return &beat{came: make(chan struct{})} }

// listen returns the first message to wait for, or false if as many as most
// listen already. Who got true calls leave.
func (b *beats) listen(most int) (*beat, bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.listeners >= most {
		return nil, false
	}
	b.listeners++
	return b.next, true
}

func (b *beats) leave() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.listeners--
}

func (b *beats) beat(make func() []byte) {
	b.mu.Lock()
	listened := b.listeners > 0
	b.mu.Unlock()
	if !listened {
		return
	}
	data := make()
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed {
		return
	}
	came := b.next
	came.data, came.next = data, newBeat()
	b.next = came.next
	close(came.came)
}

func (b *beats) close() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.closed = true
	close(b.next.came)
}
