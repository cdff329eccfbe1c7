package sample_test

import (
	"encoding/json"
	"fmt"
	"go/ast"
	"go/format"
	"go/parser"
	"go/token"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/bucketlite/bucketlite/internal/sample"
	"github.com/bucketlite/bucketlite/internal/sample/sampletest"
)

// hostile are strings that end a literal of some language, or are read as something else.
var hostile = []string{
	"", "plain", "it's", `"`, `\`, `\"`, "`", "``` `x`", "$HOME", "${x}", "$(id)", "!!", "'; exit 1; '", `"; sys.exit(1) #`, "a\nb", "a\r\nb", "\t",
	"\x00", "\x7f", "\u2028\u2029", "\ufeff", "\u202egnp.txt", "ü", "日本", "😀", "</script>", "-rf", "@file", "{a,b}[1-9]", "%41%zz%", "\\u0041", `\N{DIGIT ONE}`,
	"a\xffb", "*/", "//", "#", "?x=1&y=2", "__proto__", "constructor", "\U000e0001",
}

// numbers include those that a float, or a whole number of JavaScript, cannot hold.
var numbers = []string{"0", "-0", "1", "-1.5", "1e3", "1E-7", "0.1", "5.0", "9007199254740993", "123456789012345678901234567890", "0.10000000000000000001", "1e400", "1e-400"}

// key is a key that a shell must not take apart.
const key = "sk_'secret"

// scenario makes requests at random.
type scenario struct{ *rand.Rand }

func (s scenario) text() string {
	if s.IntN(3) > 0 {
		return hostile[s.IntN(len(hostile))]
	}
	return hostile[s.IntN(len(hostile))] + hostile[s.IntN(len(hostile))]
}

// value returns JSON.
func (s scenario) value(depth int) string {
	quote := func(text string) string {
		b, _ := json.Marshal(text) // of a string
		return string(b)
	}
	switch s.IntN(6 - min(depth, 2)) {
	case 0:
		return numbers[s.IntN(len(numbers))]
	case 1:
		return []string{"true", "false", "null"}[s.IntN(3)]
	case 2, 3:
		return quote(s.text())
	case 4:
		var items []string
		for range s.IntN(4) {
			items = append(items, s.value(depth+1))
		}
		return "[" + strings.Join(items, ",") + "]"
	default:
		members := map[string]string{}
		for range s.IntN(5) {
			members[quote(s.text())] = s.value(depth + 1)
		}
		var all []string
		for name, value := range members {
			all = append(all, name+":"+value)
		}
		return "{" + strings.Join(all, ",") + "}"
	}
}

func (s scenario) request() sample.Request {
	r := sample.Request{
		Method: []string{"GET", "POST", "PUT", "PATCH", "DELETE"}[s.IntN(5)],
		Path:   "/a/" + url.PathEscape(s.text()) + "/b", Namespace: s.text(), Query: url.Values{},
		Keyless: s.IntN(4) == 0, Raw: s.IntN(4) == 0,
	}
	for range s.IntN(3) {
		r.Query.Add(s.text(), s.text())
	}
	if s.IntN(2) == 0 {
		r.Header = map[string]string{"If-Match": namespace(s.text())} // only ASCII is sure to arrive
	}
	if r.Method != "GET" && r.Method != "DELETE" {
		r.Body = json.RawMessage(s.value(0))
	}
	return r
}

// A received request is what a program has sent.
type received struct {
	method, path string
	query        url.Values
	header       http.Header
	body         string
}

// listen starts a server that keeps what it receives, and answers with JSON.
func listen(t *testing.T) (address string, requests <-chan received) {
	t.Helper()
	all := make(chan received, 1000)
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Errorf("read a body: %v", err)
		}
		all <- received{method: r.Method, path: r.URL.Path, query: r.URL.Query(), header: r.Header, body: string(body)}
		io.WriteString(w, `{"answered": true}`)
	}))
	t.Cleanup(s.Close)
	return s.URL, all
}

// compare compares what was received with what a program was to send.
func compare(t *testing.T, r sample.Request, got received) {
	t.Helper()
	path, err := url.PathUnescape(r.Path)
	if err != nil {
		t.Fatal(err)
	}
	if got.method != r.Method || got.path != path {
		t.Errorf("got %s %q, want %s %q", got.method, got.path, r.Method, path)
	}
	if !reflect.DeepEqual(got.query, r.Query) {
		t.Errorf("got query %q, want %q", got.query, r.Query)
	}
	authorization := "Bearer " + key
	if r.Keyless {
		authorization = ""
	}
	if got := got.header.Get("Authorization"); got != authorization {
		t.Errorf("got Authorization %q, want %q", got, authorization)
	}
	if got, want := got.header.Get("X-Namespace"), namespace(r.Namespace); got != want {
		t.Errorf("got X-Namespace %q, want %q", got, want)
	}
	for name, value := range r.Header {
		if got, want := got.header.Get(name), oneLine(value); got != want {
			t.Errorf("got %s %q, want %q", name, got, want)
		}
	}
	if r.Body != nil {
		compareJSON(t, got.body, string(r.Body.(json.RawMessage)))
		if got := got.header.Get("Content-Type"); got != "application/json" {
			t.Errorf("got Content-Type %q", got)
		}
	}
}

// namespace returns the header for a name.
func namespace(name string) string {
	if strings.ContainsFunc(name, func(r rune) bool { return r > 0x7f }) {
		return url.PathEscape(name)
	}
	return oneLine(name)
}

// oneLine returns the value of a header as it arrives.
func oneLine(value string) string {
	return strings.TrimSpace(strings.NewReplacer("\r", " ", "\n", " ", "\t", " ", "\x00", " ", "\x7f", " ").Replace(value))
}

func compareJSON(t *testing.T, got, want string) {
	t.Helper()
	if a, b := decode(t, got), decode(t, want); !equal(a, b) {
		t.Errorf("got body %s, want %s", got, want)
	}
}

func decode(t *testing.T, text string) (v any) {
	t.Helper()
	d := json.NewDecoder(strings.NewReader(text))
	d.UseNumber()
	if err := d.Decode(&v); err != nil {
		t.Fatalf("%v in %s", err, text)
	}
	return v
}

// equal compares values, and numbers by what they are, not how they are written.
func equal(a, b any) bool {
	switch a := a.(type) {
	case json.Number:
		b, ok := b.(json.Number)
		return ok && (a == b || plain(a) == plain(b))
	case []any:
		b, ok := b.([]any)
		return ok && slices.EqualFunc(a, b, equal)
	case map[string]any:
		b, ok := b.(map[string]any)
		if !ok || len(a) != len(b) {
			return false
		}
		for name := range a {
			if other, ok := b[name]; !ok || !equal(a[name], other) {
				return false
			}
		}
		return true
	}
	return a == b
}

// plain returns a number as the nearest float, which tells the numbers of these tests
// apart unless they are written out in full, in which case they arrive as they are.
func plain(n json.Number) string {
	if slices.Contains(numbers[8:], n.String()) {
		return n.String()
	}
	f, err := n.Float64()
	return fmt.Sprint(f+0, err) // -0 is 0
}

// The requests of many hostile strings arrive as they are, from each language that is
// interpreted. One process runs all programs of its language.
func TestPrograms(t *testing.T) {
	t.Parallel()
	drivers := map[string]struct {
		extension string
		command   []string
	}{
		"curl":   {".sh", []string{"sh", "-euc", `for f; do . "$f"; done`, "sh"}},
		"Python": {".py", []string{"python3", "-c", "import sys\nfor f in sys.argv[1:]: exec(compile(open(f, encoding='utf-8').read(), f, 'exec'), {})"}},
		"JavaScript": {".mjs", []string{"node", "--input-type=module", "-e",
			"for (const f of process.argv.slice(1)) await import(f);"}},
	}
	for language, driver := range drivers {
		t.Run(language, func(t *testing.T) {
			t.Parallel()
			seed := rand.Uint64()
			t.Logf("seed %d", seed)
			s := scenario{rand.New(rand.NewPCG(seed, 0))}
			address, got := listen(t)
			dir := t.TempDir()
			command := slices.Clone(driver.command)
			var requests []sample.Request
			for i := range 150 {
				requests = append(requests, s.request())
				name := filepath.Join(dir, strconv.Itoa(i)+driver.extension)
				write(t, name, sample.Of(requests[i], language))
				command = append(command, name)
			}
			c := sampletest.Client{URL: address, Key: key, Dir: dir}
			if language == "curl" {
				c.Run(t, "curl", "--version") // where there is none, the test says so
			}
			c.Run(t, command[0], command[1:]...)
			if len(got) != len(requests) {
				t.Fatalf("got %d requests, want %d", len(got), len(requests))
			}
			for i, r := range requests {
				compare(t, r, <-got)
				if t.Failed() {
					t.Fatalf("by program %d:\n%s", i, sample.Of(r, language))
				}
			}
		})
	}
}

func write(t *testing.T, name, text string) {
	t.Helper()
	if err := os.WriteFile(name, []byte(text+"\n"), 0o666); err != nil {
		t.Fatal(err)
	}
}

// Programs send the bytes of files whose names are hostile.
func TestProgramsOfFiles(t *testing.T) {
	t.Parallel()
	for _, language := range sample.Languages {
		for _, name := range []string{"photo 1.jpg", "-", "it's {a,b}[1-3].bin", `"$HOME"`} {
			t.Run(language+" "+name, func(t *testing.T) {
				t.Parallel()
				if language == "Go" && name != "photo 1.jpg" {
					return // TestGo reads the others from the source
				}
				address, got := listen(t)
				dir := t.TempDir()
				write(t, filepath.Join(dir, name), "\x00\xff bytes")
				text := sample.Of(sample.Request{Method: "PUT", Path: "/x", File: name, Header: map[string]string{"Content-Type": "image/jpeg"}}, language)
				out := sampletest.Client{URL: address, Key: key, Dir: dir}.Sample(t, language, text)
				if v, ok := decode(t, out).(map[string]any); !ok || v["answered"] != true {
					t.Errorf("got output %q, want the answer", out)
				}
				r := <-got
				if r.method != "PUT" || r.body != "\x00\xff bytes\n" || r.header.Get("Content-Type") != "image/jpeg" {
					t.Errorf("got %s of %q, type %q", r.method, r.body, r.header.Get("Content-Type"))
				}
			})
		}
	}
}

// A Go program is formatted, and its literals are the strings of the request.
func TestGo(t *testing.T) {
	t.Parallel()
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	s := scenario{rand.New(rand.NewPCG(seed, 0))}
	for range 500 {
		r := s.request()
		checkGo(t, r)
		r.Body, r.File = nil, "x"+s.text()
		checkGo(t, r)
		if t.Failed() {
			t.Fatal(sample.Of(r, "Go"))
		}
	}
}

func checkGo(t *testing.T, r sample.Request) {
	t.Helper()
	text := sample.Of(r, "Go")
	formatted, err := format.Source([]byte(text))
	if err != nil {
		t.Fatalf("%v in\n%s", err, text)
	}
	if string(formatted) != text+"\n" {
		t.Fatalf("got a program that is not formatted:\n%s", text)
	}
	file, err := parser.ParseFile(token.NewFileSet(), "main.go", text, 0)
	if err != nil {
		t.Fatal(err)
	}
	calls := map[string][][]string{} // the strings that a function gets
	ast.Inspect(file, func(n ast.Node) bool {
		c, ok := n.(*ast.CallExpr)
		if !ok {
			return true
		}
		var args []string
		for _, arg := range c.Args {
			if sum, ok := arg.(*ast.BinaryExpr); ok {
				arg = sum.Y
			}
			if literal, ok := arg.(*ast.BasicLit); ok {
				value, err := strconv.Unquote(literal.Value)
				if err != nil {
					t.Fatalf("%v: %s", err, literal.Value)
				}
				args = append(args, value)
			}
		}
		name := c.Fun.(*ast.SelectorExpr).Sel.Name
		calls[name] = append(calls[name], args)
		return true
	})
	request := calls["NewRequest"][0]
	target, err := url.Parse(request[1])
	if err != nil {
		t.Fatal(err)
	}
	got := received{method: request[0], path: target.Path, query: target.Query(), header: http.Header{}}
	for _, h := range calls["Set"] {
		if len(h) == 2 {
			got.header.Set(h[0], strings.TrimSpace(h[1]))
		}
	}
	if !r.Keyless {
		got.header.Set("Authorization", "Bearer sk_'secret")
	}
	if r.Body != nil {
		got.body = calls["NewReader"][0][0]
	}
	compare(t, r, got)
	if r.File != "" && calls["Open"][0][0] != r.File {
		t.Errorf("got file %q, want %q", calls["Open"][0][0], r.File)
	}
}

// FuzzOf reads the strings of a request back from the languages that this process can read.
func FuzzOf(f *testing.F) {
	for _, text := range hostile {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		r := sample.Request{Method: "POST", Path: "/" + text, Namespace: text, Query: url.Values{text: {text}}, Header: map[string]string{text: text, "A": text}}
		r.Body = map[string]string{text: text}
		body, err := json.Marshal(r.Body)
		if err != nil {
			t.Fatal(err)
		}
		words := shellWords(t, sample.Of(r, "curl"))
		compareJSON(t, words[len(words)-1], string(body))
		for _, word := range words {
			if strings.HasPrefix(word, "@") {
				t.Errorf("curl reads a file for %q", word)
			}
		}
		r.Body = json.RawMessage(body)
		text = sample.Of(r, "Go")
		if _, err := format.Source([]byte(text)); err != nil {
			t.Errorf("%v in\n%s", err, text)
		}
		for _, language := range sample.Languages {
			for _, c := range sample.Of(r, language) {
				if c != '\n' && c != '\t' && !strconv.IsPrint(c) {
					t.Errorf("%s shows %U", language, c)
				}
			}
		}
	})
}

// shellWords returns the words of a command as a shell reads them, with variables as they
// are written.
func shellWords(t *testing.T, command string) (words []string) {
	t.Helper()
	var word strings.Builder
	quote, inWord := byte(0), false
	for i := 0; i < len(command); i++ {
		c := command[i]
		switch {
		case quote == 0 && c == '\\':
			i++
			if command[i] != '\n' {
				word.WriteByte(command[i])
				inWord = true
			}
		case quote == 0 && (c == '\'' || c == '"'):
			quote, inWord = c, true
		case quote == 0 && c == ' ':
			if inWord {
				words = append(words, word.String())
			}
			word.Reset()
			inWord = false
		case c == quote:
			quote = 0
		case quote == 0 && strings.IndexByte("|&;<>()$`*?[#~{}!\n", c) >= 0, quote == '"' && strings.IndexByte("`\\!", c) >= 0:
			t.Fatalf("%q stands outside quotes in %s", c, command)
		default:
			word.WriteByte(c)
			inWord = true
		}
	}
	if quote != 0 {
		t.Fatalf("a quote is open at the end of %s", command)
	}
	return append(words, word.String())
}
