// Package browser has no code: its tests look at the dashboard with Chromium, as
// a person would, while the proxy behind it is under load.
//
//	go test ./internal/browser -run TestLooks -screenshots DIR
//
// writes pictures; dashboard.png and dashboard-dark.png are those of docs/. Chromium is installed with apt-get
// where it is missing; without it the tests fail.
package browser
