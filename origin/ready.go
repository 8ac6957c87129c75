package origin

// Ready reports whether Read is known not to wait: there is content at hand, or
// the body has ended.
func (b *body) Ready() bool {
	if !b.mu.TryLock() { // it is being read
		return false
	}
	defer b.unlock()
	if b.ended() != nil {
		return true
	}
	for b.kind == chunked && b.left == 0 {
		ok, err := b.frameChunk(false)
		if err != nil {
			_ = b.finish(err)
			return true
		}
		if !ok {
			return false
		}
	}
	return b.x.in.buffered() > 0
}
