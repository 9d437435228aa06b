package runner

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"time"

	"gplay/connection"
	"gplay/jinja"
	"gplay/playbook/actions"
	"gplay/playbook/vars"
)

// watcherStep is how much longer than its task waits a job may run, as Ansible's
// watcher of jobs looks every five seconds: it is the task that tells of it.
const watcherStep = 5 * time.Second

// asyncFault is what keeps a task from being a job of its own.
func (x *execution) asyncFault(s *settings) error {
	if s.async == 0 {
		return nil
	}
	a := actions.Find(x.task.Action)
	switch {
	case x.task.Program == "" && (a != nil && !a.Async || x.task.Action == "async_status"):
		return errors.New("async is not supported for this task.")
	case s.check:
		return errors.New("check mode and async cannot be used on same task.")
	}
	return nil
}

// polled runs a module as a job of its own, and asks for its result until it
// is there.
func (x *execution) polled(ctx context.Context, conn connection.Conn, call connection.Call, s *settings) (map[string]any, error) {
	call.Async = s.async + watcherStep
	job, err := conn.Module(ctx, call)
	id, started := job["ansible_job_id"]
	if err != nil || !started {
		return job, err
	}
	status := job
	for left := s.async; left > 0 && ctx.Err() == nil && !finished(status); left -= s.poll {
		sleep(ctx, s.poll)
		if status, err = asks(ctx, conn, call.Environment, id, "status"); err != nil {
			return status, err
		}
		if !finished(status) {
			x.says("ASYNC POLL on %s: jid=%v started=%v finished=%v", x.host.Name, id, status["started"], status["finished"])
		}
	}
	shown := id
	if s.noLog { // Ansible tells of the end by the result, which is hidden
		shown = "None"
	}
	if !finished(status) {
		x.says("ASYNC FAILED on %s: jid=%v", x.host.Name, shown)
		return map[string]any{
			"failed": true, "changed": false, "async_result": status,
			"msg": fmt.Sprintf("async task did not complete within the requested time - %ds", int(s.async/time.Second)),
		}, ctx.Err()
	}
	x.says("ASYNC %s on %s: jid=%v", map[bool]string{true: "FAILED", false: "OK"}[status["failed"] == true], x.host.Name, shown)
	_, err = asks(ctx, conn, call.Environment, id, "cleanup")
	return status, err
}

func (x *execution) says(format string, args ...any) {
	x.tell(func(c Callback) { c.Async(fmt.Sprintf(format, args...)) })
}

// asks asks for the status of a job, or makes it forgotten.
func asks(ctx context.Context, conn connection.Conn, environment map[string]string, id any, mode string) (map[string]any, error) {
	return conn.Module(ctx, connection.Call{Module: "async_status", Environment: environment, Args: map[string]any{"jid": id, "mode": mode}})
}

// asyncEnvironment is the task's environment, and for jobs the directory that
// the variable ansible_async_dir gives them.
func asyncEnvironment(scope *vars.Scope, s *settings, module string) (map[string]string, error) {
	if s.async == 0 && module != "async_status" {
		return s.environment, nil
	}
	dir, ok, err := scope.Setting("ansible_async_dir")
	if err != nil || !ok {
		return s.environment, err
	}
	environment := map[string]string{"ANSIBLE_ASYNC_DIR": jinja.Str(dir)}
	maps.Copy(environment, s.environment)
	return environment, nil
}

func finished(status map[string]any) bool { return fmt.Sprint(status["finished"]) == "1" }
