package workload

import (
	"reflect"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestParse(t *testing.T) {
	web, err := Preset("web")
	require.NoError(t, err)
	for _, text := range []string{"", "web", "web,", "web,seed=1"} {
		got, err := Parse(text)
		require.NoError(t, err, text)
		assert.Equal(t, web, got, text)
	}

	s, err := Parse("web,footprint=2GiB,sizes=lognormal:10KiB,1.5,200-8MiB,drift=0,languages=en:1,de:2,vary-language=0.5,seed=9")
	require.NoError(t, err)
	want := web
	want.Objects, want.Footprint, want.Drift, want.VaryLanguage, want.Seed = 0, 2<<30, Per{}, 0.5, 9
	want.Languages = Mix{{"en", 1}, {"de", 2}}
	assert.Equal(t, want, s)

	s, err = Parse("churn,objects=10")
	require.NoError(t, err)
	assert.Equal(t, int64(10), s.Objects)
	assert.Zero(t, s.Footprint, "objects replace the footprint of the preset")

	s, err = Parse("objects=5,scan=10/100")
	require.NoError(t, err)
	assert.Equal(t, Spec{
		Objects: 5, Scan: Run{10, 100}, Alpha: web.Alpha, Sizes: web.Sizes,
		Encodings: web.Encodings, Languages: web.Languages, Seed: 1,
	}, s, "without a preset the rest is off")
}

func TestParseRefuses(t *testing.T) {
	for text, want := range map[string]string{
		"wbe":                          `no preset "wbe"; use one of web, images, cdn, churn, hot, or NAME=VALUE settings`,
		"web,hot":                      `"hot" is no setting; write NAME=VALUE`,
		"web,,alpha=1":                 `"" is no setting`,
		"alpha=1,alpha=2":              "alpha is there twice",
		"web,zipf=1":                   "zipf: no such setting; use one of objects, footprint, alpha",
		"objects=1,footprint=1MiB":     "objects and footprint exclude each other",
		"objects=0":                    "objects=0 is out of range; use 1 to 50000000",
		"objects=50000001":             "objects=50000001 is out of range",
		"objects=1e3":                  `objects: "1e3" is no whole number`,
		"footprint=0":                  "footprint: 0 is out of range; use 1B to 1024TiB",
		"footprint=2000TiB":            "footprint=2000TiB is out of range",
		"footprint=1MiB,sizes=fixed:0": "footprint cannot be reached with objects of size 0",
		"alpha=-0.1":                   "alpha=-0.1 is out of range; use 0 to 3",
		"alpha=NaN":                    `alpha: "NaN" is no number`,
		"alpha=Inf":                    "alpha=+Inf is out of range",
		"sizes=fixed:2TiB":             "sizes: sizes 2TiB-2TiB are out of range",
		"drift=0.5":                    `drift: "0.5" is no drift; write SHARE/REQUESTS`,
		"drift=2/10":                   "drift=2/10 is out of range; use SHARE/REQUESTS",
		"drift=0.5/0":                  "drift=0.5/0 is out of range",
		"scan=5":                       `scan: "5" is no scan; write LENGTH/REQUESTS`,
		"scan=10/5":                    "scan=10/5 is out of range; use LENGTH/REQUESTS",
		"scan=-1/5":                    "scan=-1/5 is out of range",
		"once=1.5":                     "once=1.5 is out of range; use 0 to 1",
		"head=-1":                      "head=-1 is out of range",
		"head=0.6,post=0.6":            "head, post, ranges, current and expired are 1.2 together; use at most 1",
		"encodings=gzip":               `encodings: "gzip" is no value and weight; write VALUE:WEIGHT`,
		"encodings=gzip:0":             "encodings: weight 0 of gzip is out of range; use 1 to 1000000",
		"encodings=g zip:1":            `encodings: value "g zip": use letters, digits and hyphens`,
		"languages=en:1,en:2":          "languages: value en is there twice",
		"hosts=10001":                  "hosts=10001 is out of range; use 0 to 10000",
		"hosts=x":                      `hosts: "x" is no whole number`,
		"seed=-1":                      `seed: "-1" is no whole number`,
	} {
		_, err := Parse(text)
		assert.ErrorContains(t, err, want, text)
		assert.ErrorContains(t, err, "workload: ", text)
	}
}

func TestNewRefuses(t *testing.T) {
	for want, s := range map[string]Spec{
		"objects=0 is out of range": {},
		`"" is no distribution`:     {Objects: 1},
		"footprint=1024TiB needs":   {Footprint: 1 << 50, Sizes: Sizes{Law: Fixed, Min: 1, Max: 1}},
		"encodings: give 1 to 100":  {Objects: 1, Sizes: Sizes{Law: Fixed}, VaryEncoding: 1},
		"languages: give 1 to 100":  {Objects: 1, Sizes: Sizes{Law: Fixed}, VaryLanguage: 1},
		"footprint=-1":              {Footprint: -1},
	} {
		_, err := New(s)
		assert.ErrorContains(t, err, want)
	}
}

func TestPresetsPrintAndParse(t *testing.T) {
	for _, p := range Presets() {
		s, err := Parse(p.Name)
		require.NoError(t, err, p.Name)
		text := s.String()
		assert.NotContains(t, text, "\n")
		again, err := Parse(text)
		require.NoError(t, err, text)
		assert.Equal(t, s, again, text)
		assert.NotEmpty(t, p.Meaning)
	}
}

func TestManualIsComplete(t *testing.T) {
	text := Manual()
	for line := range strings.Lines(text) {
		assert.LessOrEqual(t, len(line), 81, line)
	}
	typ := reflect.TypeFor[Spec]()
	assert.Len(t, settings, typ.NumField(), "each field of a Spec is a setting")
	for _, s := range settings {
		assert.Contains(t, text, s.name+"="+s.form)
	}
}

// FuzzParse: no text panics, and what is read prints as a text for the same
// requests.
func FuzzParse(f *testing.F) {
	for _, p := range Presets() {
		f.Add(p.Name)
		f.Add(p.Spec.String())
	}
	f.Add("web,footprint=4GiB,seed=3")
	f.Add("sizes=lognormal:1,0.5,1-5,encodings=br:1,gzip:2,vary-encoding=1,drift=1/1,scan=1/1")
	f.Fuzz(func(t *testing.T, text string) {
		s, err := Parse(text)
		if err != nil {
			return
		}
		printed := s.String()
		again, err := Parse(printed)
		require.NoError(t, err, printed)
		require.Equal(t, printed, again.String())
		if s.Footprint > 0 {
			return // to count objects takes too long here
		}
		a, err := New(s)
		require.NoError(t, err)
		b, err := New(again)
		require.NoError(t, err)
		for range 10 {
			x, more := a.Next()
			y, _ := b.Next()
			require.True(t, more)
			require.Equal(t, x, y)
			require.True(t, strings.HasPrefix(x.Target, "/o/"), x.Target)
			require.GreaterOrEqual(t, x.Size, s.Sizes.Min)
			require.LessOrEqual(t, x.Size, s.Sizes.Max)
		}
	})
}
