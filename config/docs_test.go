package config

import (
	"os"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const docFile = "../docs/config.md"

func TestDocIsUpToDate(t *testing.T) {
	if *update {
		require.NoError(t, os.WriteFile(docFile, []byte(Doc()), 0o644))
	}
	data, err := os.ReadFile(docFile)
	require.NoError(t, err)
	assert.Equal(t, Doc(), string(data), "run go test ./config -update and look at the difference")
}

// paths lists the keys that the struct has; what a rule's key holds is told with it.
func paths(prefix string, t reflect.Type) []string {
	var all []string
	for i := range t.NumField() {
		name := t.Field(i).Tag.Get("yaml")
		ft := t.Field(i).Type
		switch {
		case name == "":
		case prefix == "rules[]." || prefix == "routes[]." || prefix == "upstreams[]." || prefix == "tls." || ft.Kind() != reflect.Struct && ft.Kind() != reflect.Slice:
			all = append(all, prefix+name)
		case ft.Kind() == reflect.Struct:
			all = append(all, paths(prefix+name+".", ft)...)
		case ft.Elem().Kind() == reflect.Struct:
			all = append(all, paths(prefix+name+"[].", ft.Elem())...)
		default:
			all = append(all, prefix+name)
		}
	}
	return all
}

func TestTableHasEveryKeyOnce(t *testing.T) {
	var table []string
	for _, k := range keys {
		table = append(table, k.path)
		assert.NotEmpty(t, k.meaning, k.path)
		assert.NotEmpty(t, k.values, k.path)
		assert.NotEmpty(t, k.example, k.path)
	}
	want := paths("", reflect.TypeFor[Config]())
	slices.Sort(table)
	slices.Sort(want)
	assert.Equal(t, want, table)
}

func TestDocExamplesAreValid(t *testing.T) {
	blocks := regexp.MustCompile("(?s)```yaml\n(.*?)```").FindAllStringSubmatch(Doc(), -1)
	require.Len(t, blocks, 1+reflect.TypeFor[Rule]().NumField())
	for _, b := range blocks {
		text := b[1]
		if !strings.HasPrefix(text, "origin:") {
			text = "origin: http://127.0.0.1:3000\n" + text
		}
		c, err := Parse("example", []byte(text))
		require.NoError(t, err, text)
		require.NoError(t, c.Validate(), text)
	}
}

func TestKeyExamplesAreValid(t *testing.T) {
	// What a key is of no use without.
	needs := map[string]string{
		"tls.listen":       "self_signed: true",
		"tls.certificates": "listen: :8443",
		"tls.self_signed":  "listen: :8443",
		"snapshot.every":   "file: cache.snapshot",
	}
	for _, k := range keys {
		if strings.HasPrefix(k.path, "rules[]") {
			continue // TestDocExamplesAreValid has them
		}
		text := "origin: http://127.0.0.1:3000\n"
		if name, ok := strings.CutPrefix(k.path, "routes[]."); ok {
			text = "routes:\n  - " + name + ": " + k.example + "\n"
			if name != "origin" {
				text += "    origin: http://127.0.0.1:3001\n"
			}
		} else if name, ok := strings.CutPrefix(k.path, "upstreams[]."); ok {
			text += "upstreams:\n  - " + name + ": " + k.example + "\n"
			if name != "name" {
				text += "    name: api\n"
			}
			if name != "targets" {
				text += "    targets: [{url: https://api.example.com}]\n"
			}
		} else if block, name, nested := strings.Cut(k.path, "."); nested {
			text += block + ":\n  " + name + ": " + k.example + "\n"
			if more := needs[k.path]; more != "" {
				text += "  " + more + "\n"
			}
		} else if k.path != "origin" {
			text += k.path + ": " + k.example + "\n"
		}
		c, err := Parse("example", []byte(text))
		require.NoError(t, err, text)
		require.NoError(t, c.Validate(), text)
	}
}
