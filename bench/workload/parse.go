package workload

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// Parse reads a workload: settings, NAME=VALUE with commas between, and before
// them perhaps the name of a preset that they change. Without a preset, objects,
// alpha and sizes are those of web and everything else is off. The empty text is
// web. [Manual] says the same for people.
//
//	objects=N footprint=SIZE alpha=A sizes=DISTRIBUTION drift=SHARE/REQUESTS
//	scan=LENGTH/REQUESTS once=SHARE head=SHARE post=SHARE ranges=SHARE
//	current=SHARE expired=SHARE vary-encoding=SHARE vary-language=SHARE
//	encodings=VALUE:WEIGHT,... languages=VALUE:WEIGHT,... hosts=N seed=N
func Parse(text string) (Spec, error) {
	s, rest, err := base(text)
	if err != nil {
		return Spec{}, err
	}
	given := make(map[string]bool)
	for _, setting := range split(rest) {
		name, value, ok := strings.Cut(setting, "=")
		if !ok {
			return Spec{}, fmt.Errorf("workload: %q is no setting; write NAME=VALUE", setting)
		}
		if given[name] {
			return Spec{}, fmt.Errorf("workload: %s is there twice", name)
		}
		given[name] = true
		if err := s.set(name, value); err != nil {
			return Spec{}, fmt.Errorf("workload: %s: %w", name, err)
		}
	}
	if given["objects"] && given["footprint"] {
		return Spec{}, errors.New("workload: objects and footprint exclude each other; give one of them")
	}
	return s, s.Check()
}

// base is what the settings of a text change, and those settings.
func base(text string) (s Spec, settings string, err error) {
	name, rest, _ := strings.Cut(text, ",")
	if !strings.Contains(name, "=") {
		if text == "" {
			name = presets[0].Name
		}
		s, err = Preset(name)
		return s, rest, err
	}
	web, err := Preset(presets[0].Name)
	s = Spec{Objects: web.Objects, Alpha: web.Alpha, Sizes: web.Sizes, Encodings: web.Encodings, Languages: web.Languages, Seed: 1}
	return s, text, err
}

// split cuts a text at the commas that a setting follows; the others belong to
// values.
func split(text string) []string {
	if text == "" {
		return nil
	}
	var out []string
	for part := range strings.SplitSeq(text, ",") {
		if len(out) > 0 && !strings.Contains(part, "=") {
			out[len(out)-1] += "," + part
			continue
		}
		out = append(out, part)
	}
	return out
}

func (s *Spec) set(name, value string) error {
	var names []string
	for _, setting := range settings {
		if setting.name == name {
			return setting.read(s, value)
		}
		names = append(names, setting.name)
	}
	return fmt.Errorf("no such setting; use one of %s", strings.Join(names, ", "))
}

// String is what Parse reads: the same requests come of it, whatever becomes of
// the presets.
func (s Spec) String() string {
	var parts []string
	for _, setting := range settings {
		if value := setting.print(&s); value != "" {
			parts = append(parts, setting.name+"="+value)
		}
	}
	return strings.Join(parts, ",")
}

func plain(value string, err error) error {
	if err != nil {
		return fmt.Errorf("%q is no whole number, or too large", value)
	}
	return nil
}

func parseCount(value string) (int64, error) {
	n, err := strconv.ParseInt(value, 10, 64)
	return n, plain(value, err)
}

func parseFootprint(value string) (int64, error) {
	n, err := parseSize(value)
	if err == nil && n == 0 {
		return 0, errors.New("0 is out of range; use 1B to 1024TiB")
	}
	return n, err
}

func parseNumber(value string) (float64, error) {
	f, err := strconv.ParseFloat(value, 64)
	if err != nil || f != f {
		return 0, fmt.Errorf("%q is no number", value)
	}
	return f, nil
}

func parsePer(value string) (Per, error) {
	if value == "0" {
		return Per{}, nil
	}
	share, requests, _ := strings.Cut(value, "/")
	f, err := parseNumber(share)
	n, err2 := parseCount(requests)
	if err != nil || err2 != nil {
		return Per{}, fmt.Errorf("%q is no drift; write SHARE/REQUESTS, for example 0.1/100000, or 0", value)
	}
	return Per{f, n}, nil
}

func parseRun(value string) (Run, error) {
	if value == "0" {
		return Run{}, nil
	}
	length, requests, _ := strings.Cut(value, "/")
	n, err := parseCount(length)
	m, err2 := parseCount(requests)
	if err != nil || err2 != nil {
		return Run{}, fmt.Errorf("%q is no scan; write LENGTH/REQUESTS, for example 1000/50000, or 0", value)
	}
	return Run{n, m}, nil
}
