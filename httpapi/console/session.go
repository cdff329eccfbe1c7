package console

import (
	"crypto/hmac"
	"crypto/rand"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"maps"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"sync"
	"time"
	"unicode"

	"github.com/bucketlite/bucketlite/httpapi"
)

var sessionRoutes = []route{
	{"GET /signin", anyone, reads, (*request).showSignIn},
	{"POST /signin", anyone, reads, (*request).signIn},
	{"POST /signout", anyone, reads, (*request).signOut},
	{"GET /start", anyone, reads, (*request).showStart},
	{"POST /start", anyone, reads, (*request).start},
	{"POST /theme", anyone, reads, (*request).setTheme},
	{"GET /session.css", anyone, reads, (*request).renew},
}

// A session lasts for sessionTime after the last page, and is renewed when it is older
// than renewAfter.
const (
	sessionTime = 12 * time.Hour
	renewAfter  = time.Hour
)

// The session is a cookie that holds the id of a key and when it ends, both signed. The
// server keeps nothing. A session ends with its key, and with the signing key.
//
// The cookie has no Path, so that browsers send it to the pages of the console only,
// below whatever prefix a proxy has: the API never gets it, and so needs no protection
// against requests of other sites. It is set only by paths directly below the console's.
// Cookies ignore ports: the name has a tag of the signing key, so that two servers of
// one machine have one each.

func cookieName(api *httpapi.Handler) string {
	return "bucketlite_" + hex.EncodeToString(api.Sign("console cookie", nil)[:4])
}

const sessionPurpose = "console session"

// session is the text of a cookie.
func (c *Console) session(a *httpapi.Access, ends time.Time) string {
	text := binary.BigEndian.AppendUint64(nil, uint64(ends.Unix()))
	text = append(text, c.api.AccessID(a)...)
	return base64.RawURLEncoding.EncodeToString(append(text, c.api.Sign(sessionPurpose, text)...))
}

// openSession returns whose session a cookie is, and when it ends.
func (c *Console) openSession(cookie string) (a *httpapi.Access, ends time.Time) {
	text, err := base64.RawURLEncoding.Strict().DecodeString(cookie)
	const mac = 32
	if err != nil || len(text) < 8+mac {
		return nil, ends
	}
	text, sum := text[:len(text)-mac], text[len(text)-mac:]
	if !hmac.Equal(sum, c.api.Sign(sessionPurpose, text)) {
		return nil, ends
	}
	ends = time.Unix(int64(binary.BigEndian.Uint64(text)), 0)
	if !c.limits.Now().Before(ends) {
		return nil, ends
	}
	return c.api.AccessByID(string(text[8:])), ends
}

// signedIn returns who has signed in, or nil.
func (q *request) signedIn() *httpapi.Access {
	for _, cookie := range q.r.CookiesNamed(q.c.cookie) {
		if a, _ := q.c.openSession(cookie.Value); a != nil {
			return a
		}
	}
	return nil
}

// setSession begins a session, or ends it if a is nil.
func (q *request) setSession(a *httpapi.Access) {
	cookie := &http.Cookie{
		Name: q.c.cookie, HttpOnly: true, SameSite: http.SameSiteLaxMode, Secure: q.c.secure || q.r.TLS != nil, MaxAge: -1,
	}
	if a != nil {
		cookie.Value = q.c.session(a, q.c.limits.Now().Add(sessionTime))
		cookie.MaxAge = int(sessionTime / time.Second)
	}
	http.SetCookie(q.w, cookie)
}

// renew answers with an empty style sheet that every page asks for, and renews the
// session on the way. A page deeper down cannot: the cookie it sets would be for its own
// directory.
func (q *request) renew() error {
	for _, cookie := range q.r.CookiesNamed(q.c.cookie) {
		a, ends := q.c.openSession(cookie.Value)
		if a != nil && ends.Sub(q.c.limits.Now()) < sessionTime-renewAfter {
			q.setSession(a)
		}
	}
	q.w.Header().Set("Content-Type", "text/css; charset=utf-8")
	q.w.Header().Set("Cache-Control", "private, max-age=600")
	q.wrote = true
	q.w.WriteHeader(http.StatusOK)
	return nil
}

// signInForm is what the sign-in page shows.
type signInForm struct {
	Next  string
	Wrong string // why the last try failed
}

func (q *request) showSignIn() error {
	next := localPath(q.query("next"))
	if q.access != nil {
		return q.redirect(next)
	}
	return q.render(http.StatusOK, "signin", "Sign in", signInForm{Next: next})
}

func (q *request) signIn() error {
	form, err := q.formOf(maxOpenForm)
	if err != nil {
		return err
	}
	next := localPath(form.Get("next"))
	a := q.c.api.AccessOf(httpapi.Key{Secret: form.Get("key")})
	if a != nil { // whatever others at this address have tried
		q.logEntry().SetKey(a.Name)
		q.setSession(a)
		return q.redirect(next)
	}
	if !q.c.refused.add(q.r.RemoteAddr, q.c.limits.Now()) {
		q.w.Header().Set("Retry-After", "60")
		return q.render(http.StatusTooManyRequests, "signin", "Sign in",
			signInForm{next, "Too many tries from this address. A key that is known still works; others are refused for a minute."})
	}
	return q.render(http.StatusUnauthorized, "signin", "Sign in", signInForm{next, "This key is not known to the server."})
}

func (q *request) signOut() error {
	q.setSession(nil)
	return q.redirect("signin")
}

// localPath returns a path of the console that an address asks to continue with, or
// none: it must not lead elsewhere.
func localPath(next string) string {
	path, _, _ := strings.Cut(next, "?")
	if strings.ContainsAny(path, `\:`) || strings.ContainsFunc(next, unicode.IsControl) || strings.HasPrefix(path, "/") || !isClean(path) {
		return ""
	}
	return next
}

// setTheme keeps the theme for a year.
func (q *request) setTheme() error {
	form, err := q.formOf(maxOpenForm)
	if err != nil {
		return err
	}
	theme := form.Get("theme")
	cookie := &http.Cookie{Name: themeCookie, Value: theme, HttpOnly: true, SameSite: http.SameSiteLaxMode, Secure: q.c.secure || q.r.TLS != nil, MaxAge: 365 * 24 * 3600}
	if theme != "light" && theme != "dark" {
		cookie.Value, cookie.MaxAge = "", -1
	}
	http.SetCookie(q.w, cookie)
	return q.redirect(localPath(form.Get("next")))
}

const themeCookie = "bucketlite_theme"

// theme returns the theme that was chosen: light, dark, or empty for the system's.
func (q *request) theme() string {
	cookie, err := q.r.Cookie(themeCookie)
	if err != nil || cookie.Value != "light" && cookie.Value != "dark" {
		return ""
	}
	return cookie.Value
}

// startTime is for how long the code of a link is good.
const startTime = 5 * time.Minute

// starts are the codes of the links that begin a session once.
type starts struct {
	mu    sync.Mutex
	codes map[string]start
}

type start struct {
	access *httpapi.Access
	ends   time.Time
}

// StartPath returns a path, relative to that of the handler, of a page that begins a
// session with the access once, within five minutes and by one button. It is a secret
// until then.
func (c *Console) StartPath(a *httpapi.Access) string {
	code := rand.Text()
	c.starts.mu.Lock()
	defer c.starts.mu.Unlock()
	if c.starts.codes == nil {
		c.starts.codes = make(map[string]start)
	}
	now := c.limits.Now()
	maps.DeleteFunc(c.starts.codes, func(_ string, s start) bool { return !now.Before(s.ends) })
	c.starts.codes[code] = start{a, now.Add(startTime)}
	return mountName + "/start?code=" + code
}

// find returns the access of a code, and uses the code up if that is wanted.
func (s *starts) find(code string, now time.Time, use bool) *httpapi.Access {
	s.mu.Lock()
	defer s.mu.Unlock()
	found, ok := s.codes[code]
	if !ok || !now.Before(found.ends) {
		return nil
	}
	if use {
		delete(s.codes, code)
	}
	return found.access
}

// startForm is what the page of a link shows.
type startForm struct {
	Code string
	Good bool
}

// showStart shows a button. Opening the link does not use it up: programs that show
// previews of links open them too.
func (q *request) showStart() error {
	code := q.query("code")
	return q.render(http.StatusOK, "start", "Start", startForm{code, q.c.starts.find(code, q.c.limits.Now(), false) != nil})
}

func (q *request) start() error {
	form, err := q.formOf(maxOpenForm)
	if err != nil {
		return err
	}
	a := q.c.starts.find(form.Get("code"), q.c.limits.Now(), true)
	if a == nil {
		return q.render(http.StatusUnauthorized, "start", "Start", startForm{})
	}
	q.setSession(a)
	return q.redirect("")
}

// Wrong keys: an address may try maxRefused within a refusedTime.
const (
	maxRefused   = 10
	refusedTime  = time.Minute
	maxAddresses = 10_000
)

// refusals count wrong keys by address.
type refusals struct {
	mu    sync.Mutex
	tries map[string]tries
}

type tries struct {
	n     int
	since time.Time
}

// add counts a wrong key from an address, and reports whether it may try again.
func (f *refusals) add(address string, now time.Time) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.tries == nil || len(f.tries) >= maxAddresses {
		f.tries = make(map[string]tries)
	}
	network := networkOf(address)
	t := f.tries[network]
	if now.Sub(t.since) >= refusedTime {
		t = tries{since: now}
	}
	t.n++
	f.tries[network] = t
	return t.n <= maxRefused
}

// networkOf returns what counts as one address: that of IPv4, and the /64 of IPv6, which
// one machine has whole.
func networkOf(address string) string {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return address
	}
	ip, err := netip.ParseAddr(host)
	if err != nil {
		return host
	}
	if ip = ip.Unmap(); ip.Is4() {
		return ip.String()
	}
	network, _ := ip.WithZone("").Prefix(64)
	return network.String()
}
