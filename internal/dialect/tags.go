package dialect

// A Tag is one of a device.
type Tag struct {
	Name, Value string
	System      bool // an SDK's own, kept apart from those of people
}

// A TagsUpdate sets tags. Its result is Done.
type TagsUpdate struct {
	Ask
	Tags []Tag
}

// A TagsDelete takes tags away, the values of which say nothing. Its result is
// Done.
type TagsDelete struct {
	Ask
	Tags []Tag
}
