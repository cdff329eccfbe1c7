package chromium

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
)

// SignIn begins a session in the tab with a key, by the form of a console whose first page
// is at root, as in "http://127.0.0.1:8080/console/".
func (t *Tab) SignIn(root, key string) error {
	at, err := url.Parse(root)
	if err != nil {
		return err
	}
	stay := http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	form := strings.NewReader(url.Values{"key": {key}}.Encode())
	answer, err := stay.Post(root+"signin", "application/x-www-form-urlencoded", form)
	if err != nil {
		return err
	}
	answer.Body.Close()
	if answer.StatusCode != http.StatusSeeOther || len(answer.Cookies()) == 0 {
		return fmt.Errorf("sign in at %s: got status %d and %d cookies, want 303 and one", root, answer.StatusCode, len(answer.Cookies()))
	}
	at.Path = strings.TrimSuffix(at.Path, "/") // what browsers take for a cookie without a path
	for _, c := range answer.Cookies() {
		if err := t.SetCookie(at, c); err != nil {
			return err
		}
	}
	return nil
}
