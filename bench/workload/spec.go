package workload

import (
	"errors"
	"fmt"

	"cacheproxy/config"
)

// MaxObjects bounds the number of popular objects at one time.
const MaxObjects = 50_000_000

// Spec describes a synthetic workload. All shares are from 0 to 1. Start from
// [Parse] or a preset, change fields, and make a source with [New].
//
// Most requests are for popular objects. The others are for objects that no
// other request asks for: one-hit wonders, scans and the targets of POST.
type Spec struct {
	// Objects is the number of popular objects at one time, 1 to MaxObjects;
	// Footprint, if not 0, gives the sum of their sizes instead, 1 B to 1024 TiB.
	Objects   int64
	Footprint int64
	// Alpha is the exponent of the popularity: the object of rank k is asked for
	// in proportion to k^-Alpha. 0 (all alike) to 3; 0.6 to 1.1 is usual.
	Alpha float64
	Sizes Sizes

	Drift Per // share of the popular objects replaced by new ones per so many requests, evenly in time
	Scan  Run // one run of so many new objects, asked for one after the other, per so many requests
	Once  float64

	// At most one of these shapes a request; their sum is at most 1.
	Head    float64
	Post    float64 // to targets of their own, so that they invalidate nothing
	Ranges  float64 // one range each: half a middle part, a quarter an end by its start, a quarter by its length
	Current float64 // If-None-Match with the tag that the object has
	Expired float64 // If-None-Match with a tag that it had once

	VaryEncoding float64 // share of the objects that vary by Accept-Encoding
	VaryLanguage float64 // share of the objects that vary by Accept-Language
	Encodings    Mix     // values of Accept-Encoding, sent when VaryEncoding is not 0
	Languages    Mix     // values of Accept-Language, sent when VaryLanguage is not 0

	Hosts int    // 0 = the host of the target URL, else objects are spread over so many hosts, up to 10,000
	Seed  uint64 // another seed gives other requests of the same kind
}

// Per is a share of something per number of requests; both are 0, or neither.
type Per struct {
	Share    float64 // more than 0, up to 1
	Requests int64   // 1 to 1e12
}

// Run is a run of requests per number of requests; both are 0, or neither.
type Run struct {
	Length   int64 // 1 to Requests
	Requests int64 // 1 to 1e12
}

const maxPer = 1_000_000_000_000

// Check returns an error that names the setting which is out of range.
func (s *Spec) Check() error {
	for _, check := range []func() error{s.checkObjects, s.checkOthers, s.checkShares, s.checkVariants} {
		if err := check(); err != nil {
			return fmt.Errorf("workload: %w", err)
		}
	}
	return nil
}

func (s *Spec) checkObjects() error {
	switch {
	case s.Footprint < 0 || s.Footprint > 1<<50:
		return fmt.Errorf("footprint=%s is out of range; use 1B to 1024TiB", config.Size(s.Footprint))
	case s.Footprint == 0 && (s.Objects < 1 || s.Objects > MaxObjects):
		return fmt.Errorf("objects=%d is out of range; use 1 to %d", s.Objects, MaxObjects)
	case !(s.Alpha >= 0 && s.Alpha <= 3):
		return fmt.Errorf("alpha=%v is out of range; use 0 to 3", s.Alpha)
	case s.Hosts < 0 || s.Hosts > 10_000:
		return fmt.Errorf("hosts=%d is out of range; use 0 to 10000", s.Hosts)
	}
	if err := s.Sizes.check(); err != nil {
		return fmt.Errorf("sizes: %w", err)
	}
	if s.Footprint > 0 && s.Sizes.Max == 0 {
		return errors.New("footprint cannot be reached with objects of size 0; give objects instead")
	}
	return nil
}

func (s *Spec) checkOthers() error {
	if d := s.Drift; d != (Per{}) && (!(d.Share > 0 && d.Share <= 1) || d.Requests < 1 || d.Requests > maxPer) {
		return fmt.Errorf("drift=%v/%d is out of range; use SHARE/REQUESTS, a share up to 1 and 1 to %d requests",
			d.Share, d.Requests, int64(maxPer))
	}
	if r := s.Scan; r != (Run{}) && (r.Length < 1 || r.Length > r.Requests || r.Requests > maxPer) {
		return fmt.Errorf("scan=%d/%d is out of range; use LENGTH/REQUESTS, a length from 1 to REQUESTS and at most %d requests",
			r.Length, r.Requests, int64(maxPer))
	}
	return nil
}

func (s *Spec) checkShares() error {
	sum := 0.0
	for _, setting := range settings {
		if setting.share == nil {
			continue
		}
		value := *setting.share(s)
		if !(value >= 0 && value <= 1) {
			return fmt.Errorf("%s=%v is out of range; use 0 to 1", setting.name, value)
		}
		if setting.shape {
			sum += value
		}
	}
	if sum > 1+1e-9 {
		return fmt.Errorf("head, post, ranges, current and expired are %v together; use at most 1", sum)
	}
	return nil
}

func (s *Spec) checkVariants() error {
	if s.VaryEncoding > 0 {
		if err := s.Encodings.check(); err != nil {
			return fmt.Errorf("encodings: %w", err)
		}
	}
	if s.VaryLanguage > 0 {
		if err := s.Languages.check(); err != nil {
			return fmt.Errorf("languages: %w", err)
		}
	}
	return nil
}
