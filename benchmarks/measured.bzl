"""A program built for measuring, whatever the rest of the build is for."""

def _optimized(_settings, _attr):
    # Plain -O2, as the peers are built: Bazel adds the first two's opposites.
    return {
        "//command_line_option:collect_code_coverage": False,
        "//command_line_option:compilation_mode": "opt",
        "//command_line_option:copt": [
            "-fomit-frame-pointer",
            "-fno-stack-protector",
            "-DNDEBUG",
        ],
        "//command_line_option:dynamic_mode": "off",
        "//command_line_option:linkopt": [],
    }

_optimized_transition = transition(
    implementation = _optimized,
    inputs = [],
    outputs = [
        "//command_line_option:collect_code_coverage",
        "//command_line_option:compilation_mode",
        "//command_line_option:copt",
        "//command_line_option:dynamic_mode",
        "//command_line_option:linkopt",
    ],
)

def _measured_binary_impl(ctx):
    program = ctx.attr.binary[0][DefaultInfo].files_to_run.executable
    link = ctx.actions.declare_file(ctx.label.name)
    ctx.actions.symlink(
        output = link,
        target_file = program,
        is_executable = True,
    )
    return [DefaultInfo(
        executable = link,
        runfiles = ctx.runfiles(files = [program]),
    )]

measured_binary = rule(
    doc = "The program `binary`, it and all that it links built with -O2.",
    implementation = _measured_binary_impl,
    attrs = {
        "binary": attr.label(cfg = _optimized_transition, mandatory = True),
        "_allowlist_function_transition": attr.label(
            default = "@bazel_tools//tools/allowlists/function_transition_allowlist",
        ),
    },
    executable = True,
)
