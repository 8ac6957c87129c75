package proxy

import "context"

// Holder is a ResponseWriter, or what [WithHolder] gives to a request, that wants to
// know how much memory an answer keeps from being freed.
type Holder interface {
	// Holds takes a function that returns how many bytes of memory are held until the
	// client has taken the answer. It may be called until the handler has returned.
	Holds(size func() int64)
}

type holderKey struct{}

// WithHolder is for servers whose ResponseWriter is not a Holder.
func WithHolder(ctx context.Context, h Holder) context.Context {
	return context.WithValue(ctx, holderKey{}, h)
}

// holds tells the server what an answer holds, if it is much.
func (x *exchange) holds(size func() int64) {
	h, ok := x.w.(Holder)
	if !ok {
		h, ok = x.r.Context().Value(holderKey{}).(Holder)
	}
	if ok {
		h.Holds(size)
	}
}
