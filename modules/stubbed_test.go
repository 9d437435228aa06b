package modules_test

import (
	"testing"

	"gplay/modules"
	"gplay/modules/moduletest"
)

// The programs that these run stand in the cases, as scripts.

func TestApk(t *testing.T)        { moduletest.Run(t, modules.Apk) }
func TestDnf(t *testing.T)        { moduletest.Run(t, modules.Dnf) }
func TestPip(t *testing.T)        { moduletest.Run(t, modules.Pip) }
func TestSetupCases(t *testing.T) { moduletest.Run(t, modules.Setup) }
func TestYum(t *testing.T)        { moduletest.Run(t, modules.Yum) }
