package httpapi_test

import (
	"net/http"
	"testing"
)

// Everybody may ask. What a closed store says is in [TestEventsStoreClosed].
func TestHealth(t *testing.T) {
	t.Parallel()
	s := serve(t, nil)
	s.as("Authorization", "", "X-Namespace", "").do("GET", "/v1/health", nil).want(http.StatusOK).wantAt("status", "ok")
	s.as("Authorization", "Bearer wrong", "X-Namespace", "nowhere").do("HEAD", "/v1/health", nil).want(http.StatusOK)
	s.do("POST", "/v1/health", nil).wantError(http.StatusMethodNotAllowed, "MethodNotAllowedError")
}
