// Package trace reads what clients once asked for: traces of object ids and
// sizes, and access logs.
//
// Formats, found by the first line that can be read; each plain or gzip:
//
//   - "ID SIZE" lines: decimal numbers, the size in bytes.
//   - The common and combined format of Apache and nginx, with or without the
//     name of the site in front, and with anything behind.
//   - One JSON object a line: of Caddy, of cacheproxy, and those that are written
//     by hand for nginx with the names of its variables.
//
// A log of a real site has broken lines: of scanners that speak no HTTP, or cut
// off by a rotation. They are skipped and counted.
//
// Reading order: request.go, reader.go, combined.go, json.go.
package trace
