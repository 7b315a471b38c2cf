package frontend

import (
	"strconv"

	"github.com/pkg/errors"
	"github.com/stagecraft/stagecraft/llb/plan"
)

// optionCheck is for reports of bugs: --build-arg STAGECRAFT_CHECK=1 stops a
// build whose plan is not as any plan must be, and says what is wrong with it.
const optionCheck = "CHECK"

// checkPlan returns an error for a plan that is wrong, where the client asked
// for that.
func (r *request) checkPlan(p *plan.Plan) error {
	value := r.option(optionCheck)
	if value == "" {
		return nil
	}
	on, err := strconv.ParseBool(value)
	if err != nil {
		return errors.Errorf("--build-arg STAGECRAFT_CHECK=%s: the value must be 1 or 0", value)
	}
	if !on {
		return nil
	}
	return errors.WithMessage(p.Check(), "this is a bug in Stagecraft, please report it together with the Dockerfile: the plan of the build is wrong")
}
