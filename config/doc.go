// Package config is the configuration of cacheproxy as plain data: one struct
// with defaults, a strict YAML loader, validation and a printer.
//
// # Flow
//
// Load (or Parse) puts a file over Default. SetEnv and Set put environment and
// flags over that, so the last writer wins: flag > environment > file > default.
// Validate then reports everything that is wrong at once, each problem with its
// key, and its file and line where the value came from a file. Print writes the
// effective configuration as YAML that loads back to the same value.
//
// The table in keys.go describes every key; docs/config.md is made from it.
//
// # Scope
//
// The package acts on nothing it reads: it opens no listener, resolves no name
// and knows no other package. YAML anchors, aliases, tags and several documents
// in one file are refused on purpose; a configuration should read as it runs.
package config
