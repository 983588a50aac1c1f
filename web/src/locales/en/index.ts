import access from './access.json'
import common from './common.json'
import console from './console.json'
import datacenter from './datacenter.json'
import forms from './forms.json'
import guest from './guest.json'
import history from './history.json'
import lists from './lists.json'
import node from './node.json'
import options from './options.json'
import overview from './overview.json'
import plan from './plan.json'
import search from './search.json'
import session from './session.json'
import shell from './shell.json'
import storage from './storage.json'
import tasks from './tasks.json'
import wizard from './wizard.json'

/** The texts in this language, by namespace: one file each, so that an area's texts stay together. */
export const en = {
  common,
  shell,
  lists,
  guest,
  console,
  wizard,
  storage,
  node,
  access,
  datacenter,
  options,
  overview,
  plan,
  history,
  tasks,
  forms,
  search,
  session,
}
