package hostile

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"cacheproxy/internal/witness"
	"cacheproxy/policy"
)

// probe follows every input. It is answered when the connection goes on, and
// when nothing of the input took it for something else. Then it ends it.
const probe = "GET /probe HTTP/1.1\r\nHost: probe.example\r\nConnection: close\r\n\r\n"

const probed = "GET probe.example /probe"

// leastCases is how many hostile requests there must be.
const leastCases = 150

// TestHostileRequests sends every input of the corpus by both ways. The origin
// reads exactly what was legitimate, the client gets the status that is said, and
// its connection ends or goes on as is said.
func TestHostileRequests(t *testing.T) {
	cases := corpus(t)
	require.GreaterOrEqual(t, len(cases), leastCases)
	for _, c := range cases {
		for _, way := range ways {
			t.Run(c.place+"/"+way.name, func(t *testing.T) {
				t.Parallel()
				fate, asked := attack(t, way.noLane, c.input)
				assert.Equal(t, c.fate, fate, c.why)
				assert.Equal(t, c.asked, asked, c.why)
			})
		}
	}
}

// attack sends an input and then the probe, and returns what came of it.
func attack(t *testing.T, noLane bool, input []byte) (fate string, got []string) {
	w := newWorld(t, noLane, policy.DefaultRules(), func(*witness.Asked) string {
		return "HTTP/1.1 200 OK\r\nCache-Control: no-store\r\nContent-Length: 0\r\n\r\n"
	})
	answers, err := w.send(append(append([]byte{}, input...), probe...))
	assert.NotErrorIs(t, err, os.ErrDeadlineExceeded, "the connection did not end")
	w.close()
	all, faults := w.origin.All()
	end := "closed"
	for _, a := range all {
		if a.String() == probed {
			end = "open"
			continue
		}
		got = append(got, strings.Replace(a.String(), w.origin.Addr, "origin", 1))
	}
	got = append(got, faults...)
	if end == "open" && len(answers) > 0 {
		answers = answers[:len(answers)-1]
	}
	var statuses []string
	for _, a := range answers {
		statuses = append(statuses, fmt.Sprint(a.status))
	}
	return strings.TrimSpace(strings.Join(statuses, " ") + " " + end), got
}
