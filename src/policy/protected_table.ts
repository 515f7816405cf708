/**
 * Files that decide what a green means: tests, the configuration of their runners, and hooks that run before or around
 * them. Matched without regard to case, at any depth where a glob begins with a globstar.
 */
export interface ProtectedRule {
  /** Stable snake_case; findings name it. */
  readonly name: string;
  readonly about: string;
  readonly globs: readonly string[];
  /** Globs whose case counts: names that end in `Test` would else catch `latest`. */
  readonly exactCase?: readonly string[];
  /** Extensions of the base that make the rule worth telling a proposer; left out: always. */
  readonly tellWhen?: readonly string[];
  /** JSON files of which a patch may change these top-level members and no others. */
  readonly freeMembers?: readonly string[];
}

const JAVASCRIPT = ["js", "mjs", "cjs", "jsx", "ts", "mts", "cts", "tsx"];
const JVM = ["java", "kt", "kts", "groovy", "scala"];

/** What pytest 7 to 9 and unittest import before a test; as many to a line as one glob may have alternatives for. */
const PYTHON_LOADED: readonly string[] = [
  "argparse,ast,attr,attrs,base64,bdb,bisect,bz2,calendar,cmd,code,codeop,collections,colorama,contextlib,copy",
  "copyreg,csv,dataclasses,datetime,decimal,difflib,dis,email,enum,exceptiongroup,faulthandler,fnmatch,fractions,functools,gettext,glob",
  "hashlib,heapq,html,importlib,importlib_metadata,inspect,iniconfig,ipaddress,json,keyword,linecache,locale,logging,lzma,numbers,opcode",
  "operator,packaging,pathlib,pdb,platform,pprint,py,pygments,queue,quopri,random,re,readline,reprlib,rlcompleter,runpy",
  "secrets,selectors,shlex,shutil,signal,socket,statistics,string,struct,subprocess,sysconfig,tempfile,textwrap,threading,token,tokenize",
  "tomli,tomllib,traceback,types,typing,typing_extensions,urllib,uuid,warnings,weakref,xml,zipfile,zipimport,zipp",
];

/** The first rule that matches a path and protects the whole file names it, else the first that matches. */
export const PROTECTED_RULES: readonly ProtectedRule[] = [
  {
    // Folders and names of tests that many languages share; what lies in such a folder, fixtures included, is test.
    name: "test_files",
    about: "tests and what lies beside them",
    globs: [
      "**/{test,tests,__tests__,spec,specs,e2e,testdata}/**",
      "**/*{_test,_tests,-test,-tests,.test,.tests,_spec,-spec,.spec}/**",
      "**/*.{test,tests,spec,specs,e2e,cy}.*",
      "**/*{_test,_tests,_spec,-test,-tests,-spec}.*",
      "**/{test,tests}.*",
      "**/test-*.*",
      "**/__snapshots__/**",
      "**/*.snap",
      "**/*.feature",
    ],
  },
  {
    // Python: what pytest, unittest, nose and doctest collect.
    name: "python_tests",
    about: "Python tests",
    globs: ["**/test_*.py", "**/test_*.txt", "**/test_*.pyi"],
    tellWhen: ["py"],
  },
  {
    // Python: run at the start of the interpreter or of the runner, whatever the code under test does; compiled
    // files and metadata in the workspace are loaded like sources and plugins.
    name: "python_hooks",
    about: "modules that Python or its runner loads by itself",
    globs: [
      "**/{conftest,sitecustomize,usercustomize}{,.*}",
      "**/{sitecustomize,usercustomize,conftest}/**",
      "**/*.{pth,_pth,egg-link,pyc,pyo}",
      "**/{__pycache__,.pytest_cache}/**",
      "**/*.{egg-info,dist-info}/**",
      "**/pyvenv.cfg",
      "**/{pytest,_pytest,pluggy,unittest,doctest,nose,nose2}{.py,/**}",
    ],
    tellWhen: ["py"],
  },
  {
    // Python: `python -m pytest` looks in the working folder first for everything that pytest and unittest themselves
    // load, the standard library included; modules that are built in or loaded before that are not among them.
    name: "python_shadows",
    about: "modules that would stand in for what Python's runners load",
    globs: PYTHON_LOADED.map((names) => `{,src/}{${names}}{.py,/__init__.py}`),
    tellWhen: [],
  },
  {
    // Python: pytest, tox, nox, coverage and setuptools read these.
    name: "python_config",
    about: "configuration of Python's runners",
    globs: [
      "**/{pytest.ini,.pytest.ini,pytest.toml,.pytest.toml,tox.ini,tox.toml,setup.cfg,pyproject.toml}",
      "**/{noxfile.py,.coveragerc,nose.cfg,.noserc,unittest.cfg,.python-version,Pipfile,dodo.py}",
    ],
    tellWhen: ["py"],
  },
  {
    // Whatever a package manager installs, runners included; nobody fixes a bug there.
    name: "installed_packages",
    about: "installed packages, in which the runners are",
    globs: [
      "**/{node_modules,site-packages,dist-packages,vendor,.venv,venv,.tox,.nox,.yarn,.bundle}/**",
    ],
  },
  {
    // npm, pnpm and yarn run scripts of package.json; jest, mocha, ava, c8, nyc, babel … read sections of it.
    // These members say what a package is and needs, not how it is tested.
    name: "package_json",
    about: "package.json, but for what a package is and needs",
    globs: ["**/package.json"],
    tellWhen: JAVASCRIPT,
    freeMembers: [
      ...["name", "version", "description", "keywords", "homepage", "bugs", "license", "author"],
      ...["contributors", "funding", "repository", "private", "files", "publishConfig"],
      ...["main", "module", "browser", "exports", "types", "typings", "typesVersions", "type"],
      ...["bin", "man", "sideEffects", "engines", "os", "cpu"],
      ...["dependencies", "devDependencies", "peerDependencies", "peerDependenciesMeta"],
      ...["optionalDependencies", "bundledDependencies", "bundleDependencies"],
    ],
  },
  {
    // JavaScript and TypeScript: runners, what compiles the tests, and the package manager.
    name: "javascript_config",
    about: "configuration of JavaScript's runners and compilers",
    globs: [
      "**/{jest,vitest,vite,ava,playwright,cypress,karma,mocha,jasmine,wdio,nightwatch,testcafe}.config.*",
      "**/{babel,nyc,c8,tap,cucumber,webdriver,protractor,rollup,webpack,esbuild}.config.*",
      "**/{karma,wdio,nightwatch,protractor,jasmine}.conf.*",
      "**/.{mocharc,nycrc,c8rc,taprc,babelrc,swcrc,testcaferc,jasminerc}{,.*}",
      "**/{jasmine,cypress,nightwatch}.json",
      "**/{jest,vitest,karma,test,tests}{.,-,_}{setup,preset,environment,globals}.*",
      "**/setup{Tests,-tests,_tests,Jest,-jest,Vitest}.*",
      "**/vitest.workspace.*",
      "**/{tsconfig,jsconfig}{,.*}.json",
      "**/__mocks__/**",
      "**/{.npmrc,.yarnrc,.yarnrc.yml,.pnpmfile.cjs,.pnp.cjs,.pnp.loader.mjs,pnpm-workspace.yaml,.node-version,.nvmrc}",
      "**/{lerna,nx,turbo,project,rush,node.config}.json",
      "**/bunfig.toml",
    ],
    tellWhen: JAVASCRIPT,
  },
  {
    // Deno: tasks, what is tested, and import maps, which can put another module in a test library's place.
    name: "deno_config",
    about: "Deno's configuration",
    globs: ["**/{deno.json,deno.jsonc,deno.lock}", "**/import_map.json"],
    tellWhen: JAVASCRIPT,
  },
  {
    // Go: _test.go and testdata are above. Module files can leave packages out or replace test libraries.
    name: "go_config",
    about: "Go's module files",
    globs: ["**/{go.mod,go.work,.golangci.yml,.golangci.yaml}"],
    tellWhen: ["go"],
  },
  {
    // Rust: manifests can switch tests off, cargo's configuration names the program that runs them.
    name: "rust_config",
    about: "Cargo's manifests, configuration and build scripts",
    globs: ["**/{Cargo.toml,build.rs,clippy.toml,rust-toolchain,rust-toolchain.toml}", "**/.cargo/**"],
    tellWhen: ["rs"],
  },
  {
    // Java, Kotlin, Groovy, Scala: src/test is above.
    name: "jvm_tests",
    about: "tests of the JVM's languages",
    globs: ["**/src/{integrationTest,testFixtures,androidTest,functionalTest,it,jmh}/**"],
    exactCase: ["**/*{Test,Tests,TestCase,IT,Spec}.{java,kt,groovy,scala}"],
    tellWhen: JVM,
  },
  {
    // Maven, Gradle, sbt: builds that can skip tests.
    name: "jvm_config",
    about: "builds of the JVM's languages",
    globs: [
      "**/{pom.xml,gradle.properties,testng.xml,junit-platform.properties,gradlew,gradlew.bat,mvnw}",
      "**/*.{gradle,gradle.kts}",
      "**/{.mvn,gradle/wrapper,buildSrc,build-logic}/**",
      "**/*.sbt",
      "project/*.{scala,properties}",
    ],
    tellWhen: JVM,
  },
  {
    // Ruby: rake, RSpec and bundler run these.
    name: "ruby_config",
    about: "what Ruby's runners load by themselves",
    globs: ["**/{Rakefile,Gemfile,.rspec,.simplecov,.rspec-local,Guardfile}", "**/*.rake"],
    tellWhen: ["rb"],
  },
  {
    // PHP: PHPUnit, Pest, and composer, whose scripts and autoloaded files run.
    name: "php_tests",
    about: "tests and configuration of PHP's runners",
    globs: ["**/phpunit{,.dist}.xml{,.dist}", "**/{composer.json,pest.php,behat.yml,codeception.yml}"],
    exactCase: ["**/*{Test,Cest}.php"],
    tellWhen: ["php"],
  },
  {
    // .NET: test projects, run settings, and what is part of every project and solution.
    name: "dotnet_tests",
    about: "tests and configuration of .NET",
    globs: [
      "**/*.{runsettings,sln,slnx,slnf}",
      "**/Directory.{Build,Packages}.{props,targets}",
      "**/{global.json,nuget.config}",
    ],
    exactCase: ["**/*{Test,Tests}.{cs,fs,vb,csproj,fsproj,vbproj}"],
    tellWhen: ["cs", "fs", "vb"],
  },
  {
    // Elixir, Swift, Dart, Perl, Haskell and others whose tests lie in folders named above.
    name: "other_languages",
    about: "manifests and tests of further languages",
    globs: [
      "**/{mix.exs,Package.swift,dart_test.yaml,.proverc,rebar.config,dune-project,Makefile.PL,Build.PL}",
      "**/{project.clj,deps.edn,tests.edn,stack.yaml,build.zig}",
      "**/*.cabal",
      "t/**",
      "**/*.t",
    ],
    tellWhen: ["ex", "exs", "swift", "dart", "pl", "pm", "erl", "ml", "t", "clj", "hs", "zig"],
  },
  {
    // C and C++, and builds of anything: a target such as `make test` runs what they say.
    name: "build_files",
    about: "files that say what a build or a test run is",
    globs: [
      "**/{Makefile,GNUmakefile,BSDmakefile,CMakeLists.txt,CTestTestfile.cmake,CTestConfig.cmake}",
      "**/{meson.build,SConstruct,SConscript,justfile,.justfile,Taskfile.yml,Taskfile.yaml,Earthfile}",
      "**/{BUILD.bazel,WORKSPACE.bazel,MODULE.bazel,.bazelrc,build.xml,wscript}",
      "**/*.mk",
    ],
    exactCase: ["**/{BUILD,WORKSPACE}"],
  },
  {
    // Shell: bats, and scripts by the names that run tests.
    name: "shell_tests",
    about: "scripts that are or run tests",
    globs: [
      "**/*.bats",
      "**/{run,all,check}{-,_,}{test,tests}{,.*}",
      "**/{runtests,test_runner,testrunner}{,.*}",
    ],
  },
  {
    // Continuous integration, and what is tested and kept out of a workspace.
    name: "ci_config",
    about: "continuous integration, and hooks and settings of repositories",
    globs: [
      "**/{.github,.gitlab,.circleci,.buildkite,.woodpecker,.ci,.husky,.githooks}/**",
      "**/{.gitlab-ci.yml,.travis.yml,.drone.yml,appveyor.yml,azure-pipelines.yml,bitbucket-pipelines.yml}",
      "**/{Jenkinsfile,.pre-commit-config.yaml,lefthook.yml,.ppignore,.ci}",
      // A checkout elsewhere would hold other bytes than those that were proved.
      "**/{.gitattributes,.gitmodules}",
    ],
  },
];
