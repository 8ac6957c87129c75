package workload

import (
	"fmt"
	"strconv"
	"strings"

	"cacheproxy/config"
)

// setting is a field of a Spec as a text has it.
type setting struct {
	name, form, meaning string
	read                func(s *Spec, value string) error
	print               func(s *Spec) string   // "" = off, so that it can be left out
	share               func(s *Spec) *float64 // where it is a share and nothing else
	shape               bool                   // at most one of these shapes a request
}

// settings are all settings, in the order in which they are printed.
var settings = []setting{
	{
		name: "objects", form: "N", meaning: "popular objects at one time",
		read: func(s *Spec, v string) (err error) { s.Footprint = 0; s.Objects, err = parseCount(v); return err },
		print: func(s *Spec) string {
			if s.Footprint > 0 {
				return ""
			}
			return strconv.FormatInt(s.Objects, 10)
		},
	},
	{
		name: "footprint", form: "SIZE", meaning: "sum of their sizes, instead of their number",
		read: func(s *Spec, v string) (err error) { s.Objects = 0; s.Footprint, err = parseFootprint(v); return err },
		print: func(s *Spec) string {
			if s.Footprint == 0 {
				return ""
			}
			return config.Size(s.Footprint).String()
		},
	},
	{
		name: "alpha", form: "A", meaning: "popularity: rank k gets a share of about k^-A",
		read:  func(s *Spec, v string) (err error) { s.Alpha, err = parseNumber(v); return err },
		print: func(s *Spec) string { return number(s.Alpha) },
	},
	{
		name: "sizes", form: "DISTRIBUTION", meaning: "fixed:SIZE, uniform:MIN-MAX, log-uniform:MIN-MAX,\nlognormal:MEDIAN,SIGMA[,MIN-MAX]",
		read:  func(s *Spec, v string) (err error) { s.Sizes, err = ParseSizes(v); return err },
		print: func(s *Spec) string { return s.Sizes.String() },
	},
	{
		name: "drift", form: "SHARE/REQUESTS", meaning: "popular objects replaced by new ones",
		read: func(s *Spec, v string) (err error) { s.Drift, err = parsePer(v); return err },
		print: func(s *Spec) string {
			if s.Drift == (Per{}) {
				return ""
			}
			return fmt.Sprintf("%s/%d", number(s.Drift.Share), s.Drift.Requests)
		},
	},
	{
		name: "scan", form: "LENGTH/REQUESTS", meaning: "runs of new objects, one after the other",
		read: func(s *Spec, v string) (err error) { s.Scan, err = parseRun(v); return err },
		print: func(s *Spec) string {
			if s.Scan == (Run{}) {
				return ""
			}
			return fmt.Sprintf("%d/%d", s.Scan.Length, s.Scan.Requests)
		},
	},
	share("once", "requests for objects that are asked for once", false, func(s *Spec) *float64 { return &s.Once }),
	share("head", "requests that are HEAD", true, func(s *Spec) *float64 { return &s.Head }),
	share("post", "POST, each to a target of its own", true, func(s *Spec) *float64 { return &s.Post }),
	share("ranges", "GET of a single range", true, func(s *Spec) *float64 { return &s.Ranges }),
	share("current", "If-None-Match with the tag that the object has", true, func(s *Spec) *float64 { return &s.Current }),
	share("expired", "If-None-Match with a tag that it had once", true, func(s *Spec) *float64 { return &s.Expired }),
	share("vary-encoding", "objects that vary by Accept-Encoding", false, func(s *Spec) *float64 { return &s.VaryEncoding }),
	{
		name: "encodings", form: "VALUE:WEIGHT,...", meaning: "what clients accept, if so",
		read: func(s *Spec, v string) (err error) { s.Encodings, err = ParseMix(v); return err },
		print: func(s *Spec) string {
			if s.VaryEncoding == 0 {
				return ""
			}
			return s.Encodings.String()
		},
	},
	share("vary-language", "objects that vary by Accept-Language", false, func(s *Spec) *float64 { return &s.VaryLanguage }),
	{
		name: "languages", form: "VALUE:WEIGHT,...", meaning: "what clients accept, if so",
		read: func(s *Spec, v string) (err error) { s.Languages, err = ParseMix(v); return err },
		print: func(s *Spec) string {
			if s.VaryLanguage == 0 {
				return ""
			}
			return s.Languages.String()
		},
	},
	{
		name: "hosts", form: "N", meaning: "spread over the hosts h0.test, h1.test, ...",
		read: func(s *Spec, v string) (err error) { s.Hosts, err = strconv.Atoi(v); return plain(v, err) },
		print: func(s *Spec) string {
			if s.Hosts == 0 {
				return ""
			}
			return strconv.Itoa(s.Hosts)
		},
	},
	{
		name: "seed", form: "N", meaning: "another one gives other requests of the same kind",
		read:  func(s *Spec, v string) (err error) { s.Seed, err = strconv.ParseUint(v, 10, 64); return plain(v, err) },
		print: func(s *Spec) string { return strconv.FormatUint(s.Seed, 10) },
	},
}

// share is a setting that is a share and nothing else.
func share(name, meaning string, shape bool, of func(*Spec) *float64) setting {
	return setting{
		name: name, form: "SHARE", meaning: meaning, share: of, shape: shape,
		read: func(s *Spec, v string) (err error) { *of(s), err = parseNumber(v); return err },
		print: func(s *Spec) string {
			if *of(s) == 0 {
				return ""
			}
			return number(*of(s))
		},
	}
}

// Manual lists the settings, for people, in lines of at most 80 characters.
func Manual() string {
	var b strings.Builder
	for _, s := range settings {
		meaning := strings.ReplaceAll(s.meaning, "\n", "\n"+strings.Repeat(" ", 30))
		fmt.Fprintf(&b, "  %-27s %s\n", s.name+"="+s.form, meaning)
	}
	return b.String()
}
