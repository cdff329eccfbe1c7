package console

var thumbRoutes = []route{
	{"GET /n/{namespace}/b/{bucket}/o/{object}/thumb/{blob}", inPlace, reads, (*request).thumb},
}

// thumb answers with a small picture of a blob, whose longest edge s names.
func (q *request) thumb() error {
	err := q.c.api.ServeThumb(q.w, q.r, q.bucket, q.r.PathValue("object"), q.r.PathValue("blob"), int(atoi(q.query("s"))))
	q.wrote = err == nil
	return err
}
