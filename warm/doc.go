// Package warm reads lists of URLs that are to be in a cache: a plain list, a sitemap,
// or what an access log says that clients ask for.
//
// Whatever is read comes from elsewhere: each source has bounds, and nothing but URLs
// of scheme http or https comes out.
package warm
