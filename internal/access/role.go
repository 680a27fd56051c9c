package access

import "github.com/matou-iot/matou/internal/fault"

// A Role says what somebody may do. Each role may do all that the next may.
type Role string

// The roles.
const (
	Administrator Role = "administrator" // everything: operators and all tokens, too
	OperatorRole  Role = "operator"      // products, devices and commands
	Viewer        Role = "viewer"        // look, but see no secret
)

var rank = map[Role]int{Viewer: 1, OperatorRole: 2, Administrator: 3}

// Includes reports whether r may do what needs the role need. An unknown role
// may do nothing.
func (r Role) Includes(need Role) bool { return rank[r] > 0 && rank[r] >= rank[need] }

// Check says what is wrong with a role that somebody named.
func (r Role) Check() error {
	if rank[r] == 0 {
		return fault.In("role", fault.Invalid("role %q is none of administrator, operator, viewer", string(r)))
	}
	return nil
}

// atMost is the lesser of both roles.
func (r Role) atMost(limit Role) Role {
	if limit.Includes(r) {
		return r
	}
	return limit
}
