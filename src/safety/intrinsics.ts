import { moduleSymbol } from "./module_symbol.ts";
import { ANY_MODULE, symbol, unionOf, UNKNOWN, type Value } from "./values.ts";

/** What a call was given. */
export interface Given {
  readonly positional: readonly Value[];
  readonly named: ReadonlyMap<string, Value>;
  /** There may be more than is seen. */
  readonly spread: boolean;
}

/** What following a call may ask for. */
export interface Following {
  member(object: Value, names: Value): Value;
  /** Says that something is called by the function that was called. */
  called(value: Value): void;
  /** Whether a symbol has members that rules speak of. */
  isHolder(name: string): boolean;
  /** Says that modules are loaded. */
  imported(modules: Value): void;
  readonly shell: boolean;
  readonly language: { readonly textsAreCalled: boolean };
}

type Intrinsic = (given: Given, following: Following) => Value | null;

const argument = (given: Given, at: number): Value => given.positional[at] ?? UNKNOWN;

/** `os:system` and `os.system`: something of a module, by both names. */
const located: Intrinsic = (given, { imported }) => {
  const found = unionOf(
    argument(given, 0).map((m): Value => [
      symbol(m.is === "text" && m.whole ? m.value.replace(":", ".") : ANY_MODULE),
    ]),
  );
  imported(found);
  return found;
};

/** A module by its name; a computed name is anything. */
function moduleNamed(value: Value): Value {
  return unionOf(
    value.map((m): Value => [symbol(m.is === "text" && m.whole ? moduleSymbol(m.value) : ANY_MODULE)]),
  );
}

const module: Intrinsic = (given, { imported }) => {
  const modules = moduleNamed(argument(given, 0));
  imported(modules);
  return modules;
};
const memberOf: Intrinsic = (given, { member }) => member(argument(given, 0), argument(given, 1));
const same: Intrinsic = (given) => argument(given, 0);
/** All members of something named, as a table: what is called of them is not known. */
const table: Intrinsic = (given, { called, isHolder }) => {
  if (argument(given, 0).some((m) => m.is === "symbol" && isHolder(m.name))) called(UNKNOWN);
  return null;
};
const callsFirst: Intrinsic = (given, { called }) => {
  called(argument(given, 0));
  return null;
};

/** Functions that give something of what they are given, by symbol. */
const BY_SYMBOL: Readonly<Record<string, Intrinsic>> = {
  getattr: memberOf,
  "inspect.getattr_static": memberOf,
  "Reflect.get": memberOf,
  vars: (given, following) => {
    table(given, following);
    return argument(given, 0);
  },
  "Object.values": table,
  "Object.entries": table,
  "Object.getOwnPropertyDescriptor": table,
  "Object.getOwnPropertyDescriptors": table,
  "Object.getOwnPropertyNames": table,
  __import__: module,
  "importlib.import_module": module,
  "importlib.__import__": module,
  "pkgutil.resolve_name": located,
  "pydoc.locate": located,
  "django.utils.module_loading.import_string": located,
  "werkzeug.utils.import_string": located,
  require: module,
  import: module,
  "module.require": module,
  "mainModule.require": module,
  "module.createRequire()": module,
  getBuiltinModule: module,
  "functools.partial": same,
  "util.promisify": same,
  "contextlib.suppress": () => null,
  "Object.freeze": same,
  "Object.assign": same,
  "Reflect.apply": callsFirst,
  "Reflect.construct": callsFirst,
  call_user_func: callsFirst,
  call_user_func_array: callsFirst,
  array_map: callsFirst,
  register_shutdown_function: callsFirst,
  register_tick_function: callsFirst,
  set_error_handler: callsFirst,
  set_exception_handler: callsFirst,
  ob_start: callsFirst,
  forward_static_call: callsFirst,
  spl_autoload_register: callsFirst,
  array_filter: callsSecond,
  array_walk: callsSecond,
  array_reduce: callsSecond,
  usort: callsSecond,
  uasort: callsSecond,
  uksort: callsSecond,
  iterator_apply: callsSecond,
  preg_replace_callback: callsSecond,
};

function callsSecond(given: Given, { called }: Following): Value | null {
  called(argument(given, 1));
  return null;
}

/** Ruby's ways to call a method by its name; the object is the symbol before them. */
const SENDS = new Set(["send", "__send__", "public_send", "method", "instance_method", "public_method"]);
const CONSTANTS = new Set(["const_get", "qualified_const_get"]);

/** Commands of a shell whose arguments are a command. */
const WRAPPERS = new Set([
  ..."sudo doas env command exec nohup nice ionice time timeout xargs setsid stdbuf busybox builtin chroot unshare strace"
    .split(" "),
]);

/**
 * What a call of a known function gives, where that is something of what it was given.
 * @returns null for any other function
 */
export function intrinsic(name: string, given: Given, following: Following): Value | null {
  if (following.shell) return wrapped(name, given, following);
  const own = name.replace(/^process\.(?=mainModule|getBuiltinModule)/, "");
  // Every module of Node has a `require`, and every class of modules a `_load`.
  if (/^(?:module|process|require)\.(?:.*\.)?(?:require|_load)$/.test(own)) return module(given, following);
  if (Object.hasOwn(BY_SYMBOL, own)) return BY_SYMBOL[own]!(given, following);
  const dot = name.lastIndexOf(".");
  const last = name.slice(dot + 1);
  const object: Value = dot < 0 ? [symbol("Kernel")] : [symbol(name.slice(0, dot))];
  if (SENDS.has(last) && given.positional.length > 0 && !following.language.textsAreCalled) {
    const found = following.member(object, argument(given, 0));
    if (last.endsWith("method")) {
      following.called(found);
      return found;
    }
    // JavaScript has methods of that name too: `response.send("x")` calls nothing that a rule knows.
    if (object[0]?.is === "symbol" && object[0].name !== "?") following.called(found);
    return null;
  }
  if (last === "alias_method") following.called(following.member([symbol("Kernel")], argument(given, 1)));
  if (CONSTANTS.has(last)) return moduleNamed(argument(given, 0));
  return null;
}

/** `sudo -n curl x`: the first word that is no option and no assignment is a command too. */
function wrapped(name: string, given: Given, { called }: Following): Value | null {
  if (!WRAPPERS.has(name)) return null;
  const isOption = (value: Value) =>
    value.every((m) => (m.is === "text" && /^(?:-|[A-Za-z_]\w*=|\d)/.test(m.value)) || m.is === "literal") &&
    value.length > 0;
  for (const value of given.positional) {
    if (isOption(value)) continue;
    called(value);
    // `sudo env nohup x`: a wrapper of a wrapper.
    if (!value.some((m) => m.is === "text" && WRAPPERS.has(m.value.slice(m.value.lastIndexOf("/") + 1)))) {
      break;
    }
  }
  return null;
}

const CALLBACKS = new Set([
  "then",
  "tap",
  "yield_self",
  "instance_exec",
  "map",
  "forEach",
  "filter",
  "find",
  "some",
  "every",
  "flatMap",
  "each",
  "reduce",
]);

/** Callbacks that get the object itself, or what it holds one of. */
export const WHOLE = new Set(["then", "tap", "yield_self", "instance_exec"]);

/** Methods that give their object again. */
export const SAME = new Set(["clone", "dup", "itself", "freeze", "valueOf", "copy"]);

/** Methods that hand what their object holds to the function they are given. */
export function isCallback(method: string): boolean {
  return CALLBACKS.has(method);
}
