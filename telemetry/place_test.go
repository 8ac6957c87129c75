package telemetry

import (
	"encoding/hex"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestWhomPlaceBelieves(t *testing.T) {
	for _, tc := range []struct {
		name          string
		sample        float64
		parent, state string
		trusted       bool
		taken, wanted bool // the trace; its spans
		kept          string
	}{
		{"nobody sampled", 0, "", "", true, false, false, ""},
		{"all sampled", 1, "", "", false, false, true, ""},
		{"trusted yes", 0, sampled, "a=b", true, true, true, "a=b"},
		{"trusted no", 1, quiet, "", true, true, false, ""},
		{"stranger's yes counts for nothing", 0, sampled, "a=b", false, true, false, "a=b"},
		{"stranger's no neither", 1, quiet, "", false, true, true, ""},
		{"an ID chosen to be below any ratio", 0.000001, "00-00000000000000000000000000000001-0000000000000001-01", "", false, true, false, ""},
		{"a later version", 0, "01-" + theTrace + "-" + theSpan + "-01-more", "", true, true, true, ""},
		{"more in version 00", 1, sampled + "-more", "a=b", true, false, true, ""},
		{"version ff", 0, "ff" + sampled[2:], "", true, false, false, ""},
		{"capitals", 0, strings.ToUpper(sampled), "", true, false, false, ""},
		{"no trace", 0, "00-00000000000000000000000000000000-" + theSpan + "-01", "", true, false, false, ""},
		{"no span", 0, "00-" + theTrace + "-0000000000000000-01", "", true, false, false, ""},
		{"short", 0, "00-" + theTrace, "", true, false, false, ""},
		{"rubbish", 0, "\xff\x00\r\n", "", true, false, false, ""},
		{"broken state", 0, sampled, "no list", true, true, true, ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			tracing := &Tracing{sample: tc.sample}
			p := tracing.Place(tc.parent, tc.state, tc.trusted)
			assert.Equal(t, tc.taken, p.Parent != [8]byte{})
			if tc.taken && tc.parent[:2] == "00" && tc.sample != 0.000001 {
				assert.Equal(t, theTrace, hex.EncodeToString(p.ID[:]))
				assert.Equal(t, theSpan, hex.EncodeToString(p.Parent[:]))
			}
			assert.Equal(t, tc.wanted, p.Sampled)
			assert.Equal(t, tc.kept, p.State)
			assert.NotZero(t, p.ID)
			assert.NotZero(t, p.Span)
			assert.NotEqual(t, p.Span, tracing.Place(tc.parent, tc.state, tc.trusted).Span)
		})
	}
}

func TestTheShareIsSampled(t *testing.T) {
	tracing := &Tracing{sample: 0.25}
	n := 0
	for range 10000 {
		if tracing.Place(sampled, "", false).Sampled {
			n++
		}
	}
	assert.InDelta(t, 2500, n, 300)
}

// Without a span of ours the origin still learns the trace, and that it is not sampled.
func TestWhatIsNotSampledIsPassedOn(t *testing.T) {
	var sent []http.Header
	origin := newOrigin(t, func(w http.ResponseWriter, r *http.Request) { sent = append(sent, r.Header) })
	w := newWorld(t, setup{targets: []string{origin}})
	w.get("/1", "Traceparent", sampled, "Tracestate", "a=b")
	w.get("/2")
	w.get("/3", "Traceparent", "rubbish", "Tracestate", "a=b")
	assert.Empty(t, w.finish())
	assert.Regexp(t, "^00-"+theTrace+"-[0-9a-f]{16}-00$", sent[0].Get("Traceparent"))
	assert.NotContains(t, sent[0].Get("Traceparent"), theSpan)
	assert.Equal(t, "a=b", sent[0].Get("Tracestate"))
	for _, h := range sent[1:] {
		assert.Regexp(t, "^00-[0-9a-f]{32}-[0-9a-f]{16}-00$", h.Get("Traceparent"))
		assert.NotContains(t, h, "Tracestate")
	}
}

func TestOffLeavesTheFieldsAlone(t *testing.T) {
	var sent []http.Header
	origin := newOrigin(t, func(w http.ResponseWriter, r *http.Request) { sent = append(sent, r.Header) })
	w := newWorld(t, setup{off: true, targets: []string{origin}})
	w.get("/1", "Traceparent", "anything", "Tracestate", "whatever")
	w.get("/2")
	assert.Empty(t, w.finish())
	assert.Equal(t, "anything", sent[0].Get("Traceparent"))
	assert.Equal(t, "whatever", sent[0].Get("Tracestate"))
	assert.NotContains(t, sent[1], "Traceparent")
}
