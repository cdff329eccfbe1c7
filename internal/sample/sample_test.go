package sample_test

import (
	"encoding/json"
	"net/url"
	"strings"
	"testing"

	"github.com/bucketlite/bucketlite/internal/sample"
)

func TestOf(t *testing.T) {
	t.Parallel()
	list := sample.Request{
		Method: "POST", Path: "/v1/buckets/films/objects/list", Query: url.Values{"limit": {"20"}, "cursor": {"a b"}}, Namespace: "shop",
		Body: json.RawMessage(`{"filters":{"AND":[{"field":"title","operator":"contains","value":"it's"},{"field":"seen","operator":"eq","value":true}]},"search":null}`),
	}
	upload := sample.Request{
		Method: "PUT", Path: "/v1/presigned/uploads/a/b/c", Header: map[string]string{"Content-Type": "image/jpeg"}, File: "photo.jpg",
		Keyless: true, Raw: true,
	}
	for _, test := range []struct {
		name, language string
		request        sample.Request
		want           string
	}{
		{"a list in curl", "curl", list, `curl -sS --fail-with-body "$BUCKETLITE_URL/v1/buckets/films/objects/list?cursor=a+b&limit=20" \
  -H "Authorization: Bearer $BUCKETLITE_API_KEY" \
  -H 'X-Namespace: shop' \
  --json '{
  "filters": {
    "AND": [
      {"field": "title", "operator": "contains", "value": "it'\''s"},
      {"field": "seen", "operator": "eq", "value": true}
    ]
  },
  "search": null
}'`},
		{"a list in Python", "Python", list, `import json, os, sys
from urllib.error import HTTPError
from urllib.request import Request, urlopen

request = Request(
    os.environ["BUCKETLITE_URL"] + "/v1/buckets/films/objects/list?cursor=a+b&limit=20",
    method="POST",
    headers={
        "Authorization": "Bearer " + os.environ["BUCKETLITE_API_KEY"],
        "X-Namespace": "shop",
        "Content-Type": "application/json",
    },
    data=json.dumps({
        "filters": {
            "AND": [
                {"field": "title", "operator": "contains", "value": "it's"},
                {"field": "seen", "operator": "eq", "value": True},
            ],
        },
        "search": None,
    }).encode(),
)
try:
    with urlopen(request) as response:
        answer = json.load(response)
    print(json.dumps(answer, indent=2))
except HTTPError as error:
    sys.exit(error.read().decode())`},
		{"a list in JavaScript", "JavaScript", list, `const response = await fetch(process.env.BUCKETLITE_URL + "/v1/buckets/films/objects/list?cursor=a+b&limit=20", {
  method: "POST",
  headers: {
    "Authorization": "Bearer " + process.env.BUCKETLITE_API_KEY,
    "X-Namespace": "shop",
    "Content-Type": "application/json",
  },
  body: JSON.stringify({
    "filters": {
      "AND": [
        {"field": "title", "operator": "contains", "value": "it's"},
        {"field": "seen", "operator": "eq", "value": true},
      ],
    },
    "search": null,
  }),
});
if (!response.ok) throw new Error(await response.text());
const answer = await response.json();
console.log(JSON.stringify(answer, null, 2));`},
		{"a list in Go", "Go", list, "package main\n\nimport (\n\t\"io\"\n\t\"log\"\n\t\"net/http\"\n\t\"os\"\n\t\"strings\"\n)\n\nfunc main() {\n\tbody := strings.NewReader(`" + `{
  "filters": {
    "AND": [
      {"field": "title", "operator": "contains", "value": "it's"},
      {"field": "seen", "operator": "eq", "value": true}
    ]
  },
  "search": null
}` + "`)" + `
	request, err := http.NewRequest("POST", os.Getenv("BUCKETLITE_URL")+"/v1/buckets/films/objects/list?cursor=a+b&limit=20", body)
	if err != nil {
		log.Fatal(err)
	}
	request.Header.Set("Authorization", "Bearer "+os.Getenv("BUCKETLITE_API_KEY"))
	request.Header.Set("X-Namespace", "shop")
	request.Header.Set("Content-Type", "application/json")
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		log.Fatal(err)
	}
	defer response.Body.Close()
	io.Copy(os.Stdout, response.Body)
	if response.StatusCode >= 400 {
		log.Fatal(response.Status)
	}
}`},
		{"a file in curl", "curl", upload, `curl -sS --fail-with-body -N "$BUCKETLITE_URL/v1/presigned/uploads/a/b/c" \
  -H 'Content-Type: image/jpeg' \
  -T 'photo.jpg'`},
		{"GET is the default", "curl", sample.Request{Path: "/v1/health", Keyless: true}, `curl -sS --fail-with-body "$BUCKETLITE_URL/v1/health"`},
		{"HEAD", "curl", sample.Request{Method: "HEAD", Path: "/x", Keyless: true}, `curl -sS --head "$BUCKETLITE_URL/x"`},
		{"a method of its own", "curl", sample.Request{Method: "DELETE", Path: "/x", Keyless: true}, `curl -sS --fail-with-body -X DELETE "$BUCKETLITE_URL/x"`},
		{"an empty header", "curl", sample.Request{Path: "/x", Header: map[string]string{"A": ""}, Keyless: true}, `curl -sS --fail-with-body "$BUCKETLITE_URL/x" \
  -H 'A;'`},
		{"a header that would be a file", "curl", sample.Request{Path: "/x", Header: map[string]string{"@a\n": "b\r\nC: d"}, Keyless: true}, `curl -sS --fail-with-body "$BUCKETLITE_URL/x" \
  -H 'a: b  C: d'`},
		{"a namespace beyond ASCII", "curl", sample.Request{Path: "/x", Namespace: "Mühle", Keyless: true}, `curl -sS --fail-with-body "$BUCKETLITE_URL/x" \
  -H 'X-Namespace: M%C3%BChle'`},
		{"a path that is not escaped", "curl", sample.Request{Path: `/a?b#c"$d%e%2f`, Keyless: true}, `curl -sS --fail-with-body "$BUCKETLITE_URL/a%3Fb%23c%22%24d%25e%2f"`},
		{"another language", "COBOL", list, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			if got := sample.Of(test.request, test.language); got != test.want {
				t.Errorf("got:\n%s\nwant:\n%s", got, test.want)
			}
		})
	}
}

func TestJSON(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ name, value, want string }{
		{"short", `{"b":[1,2.50],"a":null}`, `{"b": [1, 2.50], "a": null}`},
		{"empty", `[{},[]]`, `[{}, []]`},
		{"long", `{"name":"` + strings.Repeat("x", 80) + `","list":[{"a":1},{"b":2}]}`, "{\n  \"name\": \"" + strings.Repeat("x", 80) + "\",\n  \"list\": [{\"a\": 1}, {\"b\": 2}]\n}"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			if got := sample.JSON(json.RawMessage(test.value)); got != test.want {
				t.Errorf("got:\n%s\nwant:\n%s", got, test.want)
			}
		})
	}
}
