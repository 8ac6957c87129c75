// Package certs reads certificates, keys and roots from PEM files, and reads them
// again when the files change: what we show to clients and to origins, and whom
// we trust, is kept in the same way.
package certs
