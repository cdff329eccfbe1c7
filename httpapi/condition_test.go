package httpapi_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
)

// The headers of a condition are read as RFC 9110 has them. A tag that no object has
// matches none, whatever its form.
func TestObjectConditions(t *testing.T) {
	t.Parallel()
	s := filmServer(t)
	created := s.do("POST", "/v1/buckets/films/objects", `{"film_id": "alien"}`).want(http.StatusOK)
	path := "/v1/buckets/films/objects/" + created.text("object_id")
	before := created.header.Get("ETag")
	for _, test := range []struct {
		name, header, value string // NOW is the ETag of the object
		taken               bool
	}{
		{"the tag", "If-Match", "NOW", true},
		{"a list", "If-Match", `"x", NOW`, true},
		{"a list without spaces", "If-Match", `"x","y, z",NOW,`, true},
		{"a list, first", "If-Match", `NOW, ` + before, true},
		{"two of it", "If-Match", `NOW, NOW`, true},
		{"any", "If-Match", "*", true},
		{"any, with spaces", "If-Match", " * ", true},
		{"none", "If-Match", " , ", true},
		{"an old tag", "If-Match", before, false},
		{"old and foreign tags", "If-Match", `"x", ` + before, false},
		{"weak", "If-Match", "W/NOW", false},
		{"weak and strong", "If-Match", "W/NOW, NOW", true},
		{"of another server", "If-Match", `"5d8c72a5edda8d6a:0"`, false},
		{"of a blob", "If-Match", etag(noise(1)), false},
		{"no quotes", "If-Match", "v1", false},
		{"no end", "If-Match", `"v1`, false},
		{"a number", "If-Match", "1", false},
		{"a version that is none", "If-Match", `"v0"`, false},
		{"a version of other digits", "If-Match", `"v+1"`, false},
		{"no tag between tags", "If-Match", `nonsense, NOW`, true},
		{"not the tag", "If-None-Match", "NOW", false},
		{"not the tag, weak", "If-None-Match", "W/NOW", false},
		{"not one of a list", "If-None-Match", `"x", NOW`, false},
		{"not any", "If-None-Match", "*", false},
		{"not an old tag", "If-None-Match", before, true},
		{"not foreign tags", "If-None-Match", `"x", W/"y", z`, true},
		{"not none", "If-None-Match", "", true},
	} {
		t.Run(test.name, func(t *testing.T) {
			for i, method := range []string{"PATCH", "PUT", "DELETE"} {
				if method == "DELETE" && test.taken {
					continue // the object is needed
				}
				body := fmt.Sprintf(`{"year": %d}`, 1950+i)
				if method == "PUT" {
					body = `{"metadata": ` + body + `}`
				}
				now := s.do("PATCH", path, fmt.Sprintf(`{"title": "%s %s"}`, test.name, method)).want(http.StatusOK).header.Get("ETag")
				a := s.as(test.header, strings.ReplaceAll(test.value, "NOW", now)).do(method, path, body)
				if test.taken {
					a.want(http.StatusOK)
					continue
				}
				a.wantError(http.StatusPreconditionFailed, "PreconditionFailedError").wantAt("error.details.kind", "version")
				s.do("GET", path, nil).want(http.StatusOK).wantAt("title", test.name+" "+method)
			}
		})
	}
	now := s.do("GET", path, nil).header.Get("ETag")
	s.as("If-Match", now).do("GET", path, nil).want(http.StatusOK)
	s.as("If-Match", `"x"`).do("GET", path, nil).wantError(http.StatusPreconditionFailed, "PreconditionFailedError")
	s.as("If-None-Match", now).do("GET", path, nil).want(http.StatusOK) // its status may have changed
	for _, header := range []string{"If-Match", "If-None-Match"} {
		s.as(header, `"x"`).do("DELETE", path+"x", nil).wantError(http.StatusNotFound, "NotFoundError")
		s.as(header, `W/"x", y`).do("PATCH", path+"x", `{}`).wantError(http.StatusNotFound, "NotFoundError")
	}
}

// A condition that takes a read before the change still guards against lost updates.
func TestObjectConditionsTogether(t *testing.T) {
	t.Parallel()
	s := filmServer(t)
	created := s.do("POST", "/v1/buckets/films/objects", `{"film_id": "alien", "year": 0}`).want(http.StatusOK)
	path, tag := "/v1/buckets/films/objects/"+created.text("object_id"), created.header.Get("ETag")
	var mu sync.Mutex
	var statuses []int
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			status := s.as("If-Match", `"x", `+tag).do("PATCH", path, fmt.Sprintf(`{"year": %d}`, i+1)).status
			mu.Lock()
			defer mu.Unlock()
			statuses = append(statuses, status)
		})
	}
	wg.Wait()
	slices.Sort(statuses)
	if want := []int{200, 412, 412, 412, 412, 412, 412, 412}; !slices.Equal(statuses, want) {
		t.Errorf("got %v, want one change and %v", statuses, want)
	}
}
