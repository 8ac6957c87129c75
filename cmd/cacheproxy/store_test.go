package main

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"cacheproxy/cache"
	"cacheproxy/config"
)

// The engines that the configuration knows are those of the store, with the same
// default.
func TestEngines(t *testing.T) {
	c := config.Default()
	assert.EqualValues(t, cache.Engines()[0], c.Cache.Engine)
	assert.Equal(t, cache.DefaultExponent, c.Cache.SizeExponent)
	for _, engine := range cache.Engines() {
		require.NoError(t, c.Set("cache.engine", string(engine)))
		store, err := newStore(c)
		require.NoError(t, err)
		assert.EqualValues(t, c.Cache.Size, store.Stats().MaxCost)
		require.NoError(t, store.Close())
	}
	require.ErrorContains(t, c.Set("cache.engine", "other"), "is not one of")
	c.Cache.Engine = "other"
	_, err := newStore(c)
	require.Error(t, err, "the store knows no more than the configuration")
}
