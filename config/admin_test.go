package config

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Nobody but this machine reaches the operator's side without a token.
func TestAdminIsLoopbackOrHasAToken(t *testing.T) {
	const open = "can be reached by others; set admin.token"
	for _, tc := range []struct {
		addr, token string
		want        string // part of the error; empty for none
	}{
		{"127.0.0.1:8081", "", ""},
		{"127.1.2.3:0", "", ""},
		{"[::1]:8081", "", ""},
		{"[::ffff:127.0.0.1]:8081", "", ""},
		{"localhost:8081", "", ""},
		{"off", "", ""},
		{"0.0.0.0:8081", "", open},
		{":8081", "", open},
		{"[::]:8081", "", open},
		{"192.168.1.5:8081", "", open},
		{"example.com:8081", "", open},
		{"localhost.example.com:8081", "", open},
		{"0.0.0.0:8081", "s3cret", ""},
		{":8081", "s3cret", ""},
		{"example.com:8081", "s3cret", ""},
		{"8081", "s3cret", "is not an address"},
		{"127.0.0.1", "", "is not an address"},
		{"::1:8081", "", "is not an address"},
		{"", "", "is not an address"},
	} {
		t.Run(tc.addr+" "+tc.token, func(t *testing.T) {
			c := Default()
			c.Origin, c.Admin.Listen, c.Admin.Token = "http://127.0.0.1:3000", tc.addr, tc.token
			err := c.Validate()
			if tc.want == "" {
				assert.NoError(t, err)
				return
			}
			require.ErrorContains(t, err, tc.want)
			assert.ErrorContains(t, err, `admin.listen: "`+tc.addr+`"`, "the error names key and address")
		})
	}
}
