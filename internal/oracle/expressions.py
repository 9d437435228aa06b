"""Reads a JSON object from standard input: the directory to work in, a file of
variables and a list of expressions. Prints a list of what Ansible's templar
makes of each: ["text", TEXT], ["error", MESSAGE] or ["undefined", MESSAGE]."""
import json
import os
import sys

given = json.load(sys.stdin)
os.chdir(given["dir"])

from ansible import constants as C
from ansible.errors import AnsibleError, AnsibleUndefinedVariable
from ansible.inventory.manager import InventoryManager
from ansible.parsing.dataloader import DataLoader
from ansible.plugins import loader as plugins
from ansible.template import Templar
from ansible.utils.display import Display
from ansible.vars.hostvars import HostVars
from ansible.vars.manager import VariableManager
from jinja2.exceptions import UndefinedError

plugins.init_plugin_loader() if hasattr(plugins, "init_plugin_loader") else None
Display().warning = Display().deprecated = lambda *a, **k: None

loader = DataLoader()
loader.set_basedir(given["dir"])
inventory = InventoryManager(loader=loader, sources=given["hosts"] or ["localhost,"])
manager = VariableManager(loader=loader, inventory=inventory)
variables = manager.get_vars(host=inventory.get_host(given["host"]) if given["host"] else inventory.get_hosts()[0])
variables.update(loader.load_from_file(given["vars"]) or {})
variables["hostvars"] = HostVars(inventory, variable_manager=manager, loader=loader)
variables["ansible_search_path"] = [given["dir"]]
variables["playbook_dir"] = given["dir"]


def innermost(e):
    while True:
        inner = getattr(e, "orig_exc", None) or e.__cause__ or e.__context__
        if inner is None or inner is e:
            return e
        e = inner


def evaluate(expression):
    templar = Templar(loader=loader, variables=dict(variables))
    try:
        text = templar.template("{{ [%s] }}" % expression, convert_data=False, fail_on_undefined=True, escape_backslashes=False)
        return ["text", str(text)]
    except (AnsibleUndefinedVariable, UndefinedError) as e:
        return ["undefined", str(e)]
    except Exception as e:
        return ["error", str(e) + " // " + str(innermost(e))]


out = [evaluate(e) for e in given["expressions"]]
sys.stdout.flush()
json.dump(out, sys.__stdout__)
