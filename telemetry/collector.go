package telemetry

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"
	"golang.org/x/net/http/httpguts"
	"google.golang.org/protobuf/proto"
)

// Bounds of sending a batch.
const (
	sendTime = 10 * time.Second // one try
	tries    = 3
	backoff  = 500 * time.Millisecond // before the second try; then twice as long
	mostWait = 5 * time.Second        // that the collector may ask for
)

// collector sends spans as OTLP over HTTP, in protobuf. The client of the
// OpenTelemetry project does the same, but brings gRPC with it: 5 MB.
type collector struct {
	url    string
	header http.Header
	client *http.Client
}

func newCollector(endpoint string, env func(string) (string, bool)) (*collector, error) {
	u, err := url.Parse(endpoint)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return nil, fmt.Errorf("tracing: endpoint %q: want the URL of a collector, such as http://127.0.0.1:4318", endpoint)
	}
	if u.Path == "" || u.Path == "/" {
		u.Path = "/v1/traces"
	}
	c := &collector{url: u.String(), header: http.Header{
		"Content-Type": {"application/x-protobuf"}, "User-Agent": {"cacheproxy"},
	}}
	for _, name := range []string{"OTEL_EXPORTER_OTLP_HEADERS", "OTEL_EXPORTER_OTLP_TRACES_HEADERS"} {
		list, _ := env(name)
		if err := addFields(c.header, list); err != nil {
			return nil, fmt.Errorf("tracing: %s: %w", name, err)
		}
	}
	c.client = &http.Client{
		Transport:     http.DefaultTransport.(*http.Transport).Clone(),
		Timeout:       sendTime,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }, // fields may be secrets
	}
	return c, nil
}

// addFields reads name=value,name=value, with values in percent encoding. Errors
// do not show values, which may be secrets.
func addFields(h http.Header, list string) error {
	for member := range strings.SplitSeq(list, ",") {
		if member = strings.TrimSpace(member); member == "" {
			continue
		}
		name, value, _ := strings.Cut(member, "=")
		value, err := url.PathUnescape(strings.TrimSpace(value))
		if name = strings.TrimSpace(name); err != nil || !httpguts.ValidHeaderFieldName(name) || !httpguts.ValidHeaderFieldValue(value) {
			return fmt.Errorf("field %q: want name=value, values in percent encoding", name)
		}
		h.Set(name, value)
	}
	return nil
}

// Start has nothing to do.
func (c *collector) Start(context.Context) error { return nil }

// Stop closes connections.
func (c *collector) Stop(context.Context) error {
	c.client.CloseIdleConnections()
	return nil
}

// UploadTraces sends a batch, and once more if the collector may take it later.
func (c *collector) UploadTraces(ctx context.Context, spans []*tracepb.ResourceSpans) error {
	// On the wire this is an ExportTraceServiceRequest.
	body, err := proto.Marshal(&tracepb.TracesData{ResourceSpans: spans})
	if err != nil {
		return fmt.Errorf("spans as protobuf: %w", err)
	}
	for try := 1; ; try++ {
		wait, err := c.send(ctx, body)
		if err == nil || wait < 0 || try == tries {
			return err
		}
		timer := time.NewTimer(max(wait, backoff<<(try-1)))
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return err
		}
	}
}

// send makes one try. With an error it returns how long the collector wants to be
// left alone; negative: another try is of no use.
func (c *collector) send(ctx context.Context, body []byte) (time.Duration, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, c.url, bytes.NewReader(body))
	if err != nil {
		return -1, fmt.Errorf("collector %s: %w", c.url, err)
	}
	r.Header = c.header
	resp, err := c.client.Do(r)
	if err != nil {
		return 0, fmt.Errorf("collector: %w", err)
	}
	defer resp.Body.Close()
	text, _ := io.ReadAll(io.LimitReader(resp.Body, 1<<10))
	switch {
	case resp.StatusCode/100 == 2:
		return 0, nil
	case resp.StatusCode == 429, resp.StatusCode == 502, resp.StatusCode == 503, resp.StatusCode == 504:
		seconds, _ := strconv.Atoi(resp.Header.Get("Retry-After"))
		return min(max(time.Duration(seconds), 0)*time.Second, mostWait), fmt.Errorf("collector %s answered %s", c.url, resp.Status)
	}
	return -1, fmt.Errorf("collector %s answered %s: %q", c.url, resp.Status, text)
}
