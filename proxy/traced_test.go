package proxy_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"cacheproxy/internal/proxytest"
	"cacheproxy/policy"
	"cacheproxy/proxy"
)

// tracedOutcomes are those of the scripts that were played with traces, by file.
var tracedOutcomes = make(map[string][]proxy.Outcome)

// Every script holds with all its requests traced, and every client gets the same
// bytes. Every sentence has all its facts, and together they tell every step.
func TestTracedScripts(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txt")
	require.NoError(t, err)
	told := make(map[policy.Code]bool)
	played := 0
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) {
			text, err := os.ReadFile(file)
			require.NoError(t, err)
			var plain, traced string
			synctest.Test(t, func(t *testing.T) {
				plain, err = proxytest.Transcript(file, string(text))
				require.NoError(t, err)
			})
			synctest.Test(t, func(t *testing.T) {
				tracedOutcomes[file], traced, err = proxytest.PlayTraced(file, string(text))
				require.NoError(t, err)
			})
			for _, o := range tracedOutcomes[file] {
				requireSentences(t, o, told)
			}
			assert.Equal(t, plain, traced)
			played++
		})
	}
	if played < len(files) {
		return
	}
	// Races that no script can bring about; see TestTraceOfLanded and TestTraceOfPurged in revalidate.
	told[policy.StepLanded], told[policy.StepPurged] = true, true
	told[policy.StepOthers] = true // of many variants; see TestManyVariants in policy
	for _, c := range policy.Codes() {
		assert.True(t, told[c], "no script takes the step %s (%d)", c, c)
	}
}

var gap = regexp.MustCompile(`\{[a-z]+\}|(^|[ :(])\?($|[ ,;:)])`)

func requireSentences(t *testing.T, o proxy.Outcome, told map[policy.Code]bool) {
	t.Helper()
	if o.Trace == nil { // refused before there was a request
		assert.Empty(t, o.Key)
		return
	}
	steps, dropped := o.Trace.Steps()
	assert.Zero(t, dropped)
	require.NotEmpty(t, steps)
	assert.Equal(t, policy.StepRequest, steps[0].Code)
	for _, s := range steps {
		told[s.Code] = true
		assert.NotRegexp(t, gap, s.Sentence(), s.Code.String())
	}
}
