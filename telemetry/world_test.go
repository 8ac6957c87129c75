package telemetry

import (
	"bytes"
	"encoding/hex"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	commonpb "go.opentelemetry.io/proto/otlp/common/v1"
	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"

	"cacheproxy/cache"
	"cacheproxy/origin/upstream"
	"cacheproxy/policy"
	"cacheproxy/proxy"
	"cacheproxy/revalidate"
	"cacheproxy/server"
)

// receiver is a collector that decodes what it gets.
type receiver struct {
	*httptest.Server
	mu    sync.Mutex
	got   []*tracepb.ResourceSpans
	heads []http.Header
}

func newReceiver(t *testing.T) *receiver {
	r := &receiver{}
	r.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		body, err := io.ReadAll(q.Body)
		var data tracepb.TracesData
		if !assert.NoError(t, err) || !assert.NoError(t, proto.Unmarshal(body, &data)) || !assert.Equal(t, "POST /v1/traces", q.Method+" "+q.URL.Path) {
			return
		}
		r.mu.Lock()
		defer r.mu.Unlock()
		r.got = append(r.got, data.ResourceSpans...)
		r.heads = append(r.heads, q.Header)
	}))
	t.Cleanup(r.Close)
	return r
}

// spans are all that have arrived, in the order of their ends.
func (r *receiver) spans() (all []span) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, rs := range r.got {
		for _, ss := range rs.ScopeSpans {
			for _, s := range ss.Spans {
				all = append(all, span{s})
			}
		}
	}
	return all
}

type span struct{ *tracepb.Span }

func (s span) id() string     { return hex.EncodeToString(s.SpanId) }
func (s span) parent() string { return hex.EncodeToString(s.ParentSpanId) }
func (s span) trace() string  { return hex.EncodeToString(s.TraceId) }

func (s span) begin() time.Time { return time.Unix(0, int64(s.StartTimeUnixNano)) }
func (s span) end() time.Time   { return time.Unix(0, int64(s.EndTimeUnixNano)) }

// attributes are the values of all attributes, numbers as int64.
func attributes(list []*commonpb.KeyValue) map[string]any {
	all := map[string]any{}
	for _, a := range list {
		switch v := a.Value.Value.(type) {
		case *commonpb.AnyValue_StringValue:
			all[a.Key] = v.StringValue
		case *commonpb.AnyValue_IntValue:
			all[a.Key] = v.IntValue
		case *commonpb.AnyValue_BoolValue:
			all[a.Key] = v.BoolValue
		case *commonpb.AnyValue_DoubleValue:
			all[a.Key] = v.DoubleValue
		}
	}
	return all
}

// find returns the only span of a kind and name whose attribute has a value; an
// empty key stands for any.
func find(t *testing.T, all []span, kind tracepb.Span_SpanKind, name, key string, value any) span {
	t.Helper()
	var found []span
	for _, s := range all {
		if s.Kind == kind && s.Name == name && (key == "" || attributes(s.Attributes)[key] == value) {
			found = append(found, s)
		}
	}
	require.Len(t, found, 1, "%v %s %s=%v", kind, name, key, value)
	return found[0]
}

const (
	onServer = tracepb.Span_SPAN_KIND_SERVER
	onClient = tracepb.Span_SPAN_KIND_CLIENT
	internal = tracepb.Span_SPAN_KIND_INTERNAL
)

// world is a proxy with tracing, between an origin and a collector.
type world struct {
	t        *testing.T
	url      string
	server   *server.Server
	tracing  *Tracing
	receiver *receiver
	log      *bytes.Buffer
	client   *http.Client
	fetcher  *revalidate.Fetcher
	closed   bool
}

type setup struct {
	sample   float64
	trusted  bool // the clients
	endpoint string
	off      bool
	targets  []string
}

func newWorld(t *testing.T, s setup) *world {
	w := &world{t: t, receiver: newReceiver(t), log: new(bytes.Buffer), client: &http.Client{Transport: &http.Transport{}}}
	if s.endpoint == "" {
		s.endpoint = w.receiver.URL
	}
	c := &proxy.Config{Name: "cacheproxy", Token: "me"}
	if s.trusted {
		c.Trusted = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}
	}
	o := upstream.Options{Name: "origin", Retry: upstream.Retry{Base: time.Millisecond}}
	for _, to := range s.targets {
		o.Targets = append(o.Targets, upstream.Target{URL: to})
	}
	var err error
	if !s.off {
		w.tracing, err = Start(Options{
			Endpoint: s.endpoint, Sample: s.sample, Version: "v1.2.3",
			Log: slog.New(slog.NewTextHandler(w.log, nil)), Environment: func(string) (string, bool) { return "", false },
		})
		require.NoError(t, err)
		c.Place, o.Attempt = w.tracing.Place, w.tracing.Attempt
	}
	u, err := upstream.New(o)
	require.NoError(t, err)
	c.Routes = []*proxy.Route{{Name: "/", Origin: u, Base: proxy.Settings{Rules: policy.DefaultRules()}}}
	store, err := cache.New[revalidate.Kept](cache.Options{MaxCost: 8 << 20})
	require.NoError(t, err)
	w.fetcher = revalidate.New(revalidate.Options{Store: store, MaxObject: 1 << 20, MaxVariants: 8})
	p := proxy.New(w.fetcher, c, w.tracing.Observe)
	w.server, err = server.Listen("127.0.0.1:0", server.Options{Handler: p, Hit: p.Hit, Refuse: p.Refuse})
	require.NoError(t, err)
	served := make(chan struct{})
	go func() { defer close(served); _ = w.server.Serve() }()
	w.url = "http://" + w.server.Addr().String()
	t.Cleanup(func() {
		w.finish()
		_ = w.server.Close()
		<-served
		w.fetcher.Close()
		u.Close()
		_ = store.Close()
	})
	return w
}

// finish lets requests end, and returns all spans.
func (w *world) finish() []span {
	if w.closed {
		return nil
	}
	w.closed = true
	w.client.CloseIdleConnections()
	_ = w.server.Drain(w.t.Context())
	w.tracing.Close()
	return w.receiver.spans()
}

// get asks for a path with fields as name, value, name, value.
func (w *world) get(path string, fields ...string) *http.Response {
	w.t.Helper()
	r, err := http.NewRequestWithContext(w.t.Context(), http.MethodGet, w.url+path, nil)
	require.NoError(w.t, err)
	for i := 0; i < len(fields); i += 2 {
		r.Header.Set(fields[i], fields[i+1])
	}
	resp, err := w.client.Do(r)
	require.NoError(w.t, err)
	_, err = io.Copy(io.Discard, resp.Body)
	require.NoError(w.t, err)
	resp.Body.Close()
	return resp
}

// newOrigin answers with a function of the test's.
func newOrigin(t *testing.T, h http.HandlerFunc) string {
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	return s.URL
}
