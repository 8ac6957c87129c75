package main

import (
	"context"
	"errors"
	"net/url"
	"slices"
	"strconv"
	"time"
)

// rankings are those of the URLs, by the keys 1 to 4.
var rankings = []struct{ name, title string }{
	{"requests", "requests"}, {"misses", "misses"}, {"bytes", "bytes"}, {"origin_time", "origin time"},
}

// figures are what top shows.
type figures struct {
	at       time.Time
	overview overview
	ranking  int // of the URLs
	ranked   ranked
	targets  []targetState
}

// overview is what /api/overview says, as far as it is shown. Names in now are those
// of the columns of /api/series: per second, or as they stand.
type overview struct {
	Uptime  float64              `json:"uptime_s"`
	Now     map[string]*float64  `json:"now"`
	Windows map[string]windowSum `json:"windows"`
	Latency map[string]struct {
		P50 *float64 `json:"p50"`
		P99 *float64 `json:"p99"`
	} `json:"latency"`
	Levels struct {
		Client struct {
			Availability *float64 `json:"availability"`
			Budget       float64  `json:"budget_left"`
			Alert        string   `json:"alert"`
		} `json:"client"`
		Spike struct {
			Is bool `json:"spike"`
		} `json:"client_errors"`
	} `json:"levels"`
}

type windowSum struct {
	Requests  uint64   `json:"requests"`
	HitRatio  *float64 `json:"hit_ratio"`
	ByteRatio *float64 `json:"byte_hit_ratio"`
	Saved     uint64   `json:"saved_requests"`
	SavedTime float64  `json:"saved_origin_s"`
}

// ranked are the URLs of /api/top.
type ranked struct {
	Since time.Time `json:"since"`
	URLs  []struct {
		URL      string  `json:"url"`
		Requests int64   `json:"requests"`
		Misses   int64   `json:"misses"`
		Bytes    int64   `json:"bytes"`
		OriginMS float64 `json:"origin_ms"`
		Reasons  []struct {
			Reason string `json:"reason"`
			Count  uint64 `json:"count"`
		} `json:"reasons"`
	} `json:"urls"`
}

// targetState is a server of /api/upstreams.
type targetState struct {
	URL       string `json:"url"`
	State     string `json:"state"`
	Up        bool   `json:"up"`
	InFlight  int64  `json:"in_flight"`
	Limit     int64  `json:"limit"`
	Queued    int64  `json:"queued"`
	Requests  int64  `json:"requests"`
	Retries   int64  `json:"retries"`
	Ejections int64  `json:"ejections"`
}

// gather asks for all that is shown, with so many URLs at most.
func gather(ctx context.Context, c *adminClient, ranking, urls int) (*figures, error) {
	f := &figures{at: time.Now(), ranking: ranking}
	if err := c.get(ctx, "/api/overview", nil, &f.overview); err != nil {
		return nil, err
	}
	query := url.Values{"by": {rankings[ranking].name}, "limit": {strconv.Itoa(urls)}}
	if err := c.get(ctx, "/api/top", query, &f.ranked); err != nil {
		return nil, err
	}
	var answer struct {
		Targets []targetState `json:"targets"`
	}
	if err := c.get(ctx, "/api/upstreams", nil, &answer); err != nil && !errors.Is(err, errNotOffered) {
		return nil, err
	}
	f.targets = answer.Targets
	slices.SortStableFunc(f.targets, func(a, b targetState) int { // those that are not up come first
		switch {
		case a.Up == b.Up:
			return 0
		case b.Up:
			return -1
		}
		return 1
	})
	return f, nil
}
