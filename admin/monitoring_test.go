package admin

import (
	"encoding/json"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"cacheproxy/policy"
	"cacheproxy/proxy"
)

const monitoring = "../examples/monitoring/"

// exprs are the queries of both examples.
func exprs(t *testing.T) (all, recorded []string, alerts []string) {
	var rules struct {
		Groups []struct {
			Rules []struct {
				Record, Alert, Expr string
				Annotations, Labels map[string]string
			}
		}
	}
	data, err := os.ReadFile(monitoring + "alerts.yaml")
	require.NoError(t, err)
	require.NoError(t, yaml.Unmarshal(data, &rules))
	for _, g := range rules.Groups {
		for _, r := range g.Rules {
			all = append(all, r.Expr)
			if r.Record != "" {
				recorded = append(recorded, r.Record)
				continue
			}
			alerts = append(alerts, r.Alert)
			assert.NotEmpty(t, r.Annotations["summary"], r.Alert)
			assert.Contains(t, []string{"page", "ticket"}, r.Labels["severity"], r.Alert)
		}
	}
	var board struct {
		Panels []struct {
			Title   string
			Targets []struct{ Expr string }
		}
	}
	data, err = os.ReadFile(monitoring + "grafana.json")
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(data, &board))
	require.NotEmpty(t, board.Panels)
	for _, p := range board.Panels {
		require.NotEmpty(t, p.Targets, p.Title)
		for _, q := range p.Targets {
			all = append(all, q.Expr)
		}
	}
	return all, recorded, alerts
}

var (
	metricName = regexp.MustCompile(`\b(?:cacheproxy|process|go)[:_][a-zA-Z0-9_:]+`)
	matcher    = regexp.MustCompile(`(cacheproxy_[a-z_]+)\{([^}]*)\}`)
	label      = regexp.MustCompile(`([a-z_]+)(=~|!~|!=|=)"([^"]*)"`)
)

// Each metric, label and value of the examples is one that /metrics has.
func TestMonitoringAsksForWhatIsThere(t *testing.T) {
	m, in := registered(t)
	for _, a := range policy.Actions() {
		for status := 100; status < 600; status += 100 {
			o := with(miss(), func(o *proxy.Outcome) { o.Action, o.Status, o.Refused = a, status, policy.Private })
			m.Observe(o)
			in.Observe(o)
		}
	}
	m.Observe(with(hit(), func(o *proxy.Outcome) { o.Reason = policy.OnlyIfCached }))
	there := map[string]map[string][]string{} // values of labels of metrics
	for name, f := range scrape(t, m, Options{}) {
		there[name] = map[string][]string{}
		for _, series := range f.GetMetric() {
			for _, l := range series.GetLabel() {
				there[name][l.GetName()] = append(there[name][l.GetName()], l.GetValue())
			}
			if series.GetHistogram() != nil {
				there[name+"_bucket"] = there[name]
			}
		}
	}
	queries, recorded, _ := exprs(t)
	for _, q := range queries {
		names := metricName.FindAllString(q, -1)
		assert.NotEmpty(t, names, q)
		for _, name := range names {
			if !slices.Contains(recorded, name) {
				assert.Contains(t, there, name, q)
			}
		}
		for _, found := range matcher.FindAllStringSubmatch(q, -1) {
			for _, l := range label.FindAllStringSubmatch(found[2], -1) {
				if l[1] == "instance" || l[1] == "job" {
					continue // Prometheus adds them
				}
				for _, value := range strings.Split(l[3], "|") {
					assert.Contains(t, there[found[1]][l[1]], value, "%s of %s", l[1], found[1])
				}
			}
		}
	}
}

// Grafana draws panels that have a place of their own, and asks the source that was chosen.
func TestGrafanaPanelsHaveTheirPlaces(t *testing.T) {
	type place struct{ X, Y, W, H int }
	var board struct {
		Panels []struct {
			ID         int
			Title      string
			GridPos    place
			Datasource struct{ UID string }
		}
	}
	data, err := os.ReadFile(monitoring + "grafana.json")
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(data, &board))
	ids, taken := map[int]string{}, map[place]string{}
	for _, p := range board.Panels {
		assert.Empty(t, ids[p.ID], p.Title)
		ids[p.ID] = p.Title
		assert.Equal(t, "${datasource}", p.Datasource.UID, p.Title)
		for x := p.GridPos.X; x < p.GridPos.X+p.GridPos.W; x++ {
			for y := p.GridPos.Y; y < p.GridPos.Y+p.GridPos.H; y++ {
				assert.Empty(t, taken[place{X: x, Y: y}], p.Title)
				taken[place{X: x, Y: y}] = p.Title
			}
		}
	}
}

func TestMonitoringDescribesItsAlerts(t *testing.T) {
	readme, err := os.ReadFile(monitoring + "README.md")
	require.NoError(t, err)
	_, recorded, alerts := exprs(t)
	assert.Len(t, alerts, 9)
	for _, a := range alerts {
		assert.Contains(t, string(readme), "| `"+a+"` |")
	}
	all, _, _ := exprs(t)
	for _, r := range recorded {
		assert.True(t, slices.ContainsFunc(all, func(q string) bool { return strings.Contains(q, r) }), "%s is used", r)
	}
}
