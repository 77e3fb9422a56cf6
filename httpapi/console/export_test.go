package console

// PageNames returns the names of all pages that take a GET, and of those that take a POST.
func PageNames() (get, post []string) {
	for name, p := range pages() {
		if p.get != nil {
			get = append(get, name)
		}
		if p.post != nil {
			post = append(post, name)
		}
	}
	return get, post
}
