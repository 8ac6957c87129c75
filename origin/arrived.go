package origin

// Arrived reports whether all of the body is here, so that nothing more is
// expected of the origin.
func (b *body) Arrived() bool { return b.x.over.Load() }
