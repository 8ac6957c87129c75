package proxy_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"

	"cacheproxy/internal/proxytest"
	"cacheproxy/policy"
)

// TestScripts plays testdata/*.txt; package proxytest describes the language.
// Together they must produce every action and every reason there is.
func TestScripts(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txt")
	require.NoError(t, err)
	require.NotEmpty(t, files)
	produced := make(map[string]bool)
	played := 0
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) {
			text, err := os.ReadFile(file)
			require.NoError(t, err)
			synctest.Test(t, func(t *testing.T) {
				outcomes, err := proxytest.Play(file, string(text))
				for _, o := range outcomes {
					produced[o.Action.String()] = true
					produced[o.Reason.String()] = true
					produced[o.Refused.String()] = true
				}
				if err != nil {
					t.Error(err)
				}
			})
			played++
		})
	}
	if played < len(files) { // -run chose some of them
		return
	}
	for _, a := range policy.Actions() {
		if !produced[a.String()] {
			t.Errorf("no script produces the action %s", a)
		}
	}
	for _, r := range policy.Reasons() {
		if !produced[r.String()] {
			t.Errorf("no script produces the reason %s: %s", r, r.Info().Text)
		}
	}
}
