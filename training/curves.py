"""The picture of a run: training_curves.png, drawn from metrics.jsonl."""

import io

import tensorflow as tf

_EVAL = "eval_"
# More points than a picture has columns only cost time.
_MAX_POINTS = 2_000
# What a panel shows, by the ends of names, and what stands beside its axis.
_PANELS = (
    (("loss",), "loss (nats)"),
    (
        ("accuracy", "f1", "exact_match", "matthews", "pearson", "spearman"),
        "accuracy and other scores",
    ),
    (("learning_rate",), "learning rate"),
    (("examples_per_second",), "sequences/s"),
)


def write(lines, path):
    """Draws the numbers of a run over its steps.

    Training is drawn as lines, what was held out as points of the same colour.

    Args:
        lines: dicts of "step" and numbers, as metrics.jsonl has them.
        path: a local or remote file; it is replaced as a whole.
    """
    # Takes a second, which a run that draws nothing need not wait for.
    from matplotlib import figure

    drawing = figure.Figure(figsize=(10, 7), layout="constrained")
    if any(name.startswith(_EVAL) for line in lines for name in line):
        drawing.suptitle("lines: training, points: held out", fontsize="medium")
    for axes, (endings, label) in zip(
        drawing.subplots(2, 2, sharex=True).flat, _PANELS, strict=True
    ):
        _draw_panel(axes, lines, endings)
        axes.set_ylabel(label)
        axes.grid(alpha=0.3)
        axes.margins(x=0.02)
    for axes in drawing.axes[2:]:
        axes.set_xlabel("step")
    drawing.axes[2].ticklabel_format(axis="y", scilimits=(0, 0))
    drawing.axes[3].set_ylim(bottom=0)
    picture = io.BytesIO()
    drawing.savefig(picture, format="png", dpi=110)
    with tf.io.gfile.GFile(path + ".tmp", "wb") as file:
        file.write(picture.getvalue())
    tf.io.gfile.rename(path + ".tmp", path, overwrite=True)


def series(lines, name):
    """Returns the steps and the values of a number, where lines have it."""
    points = [(line["step"], line[name]) for line in lines if name in line]
    every = -(-len(points) // _MAX_POINTS) or 1
    # The newest point is always among them.
    points = points[::-1][::every][::-1]
    return [step for step, _ in points], [value for _, value in points]


def _draw_panel(axes, lines, endings):
    names = dict.fromkeys(
        name.removeprefix(_EVAL)
        for line in lines
        for name in line
        if name.endswith(endings)
    )
    for number, name in enumerate(names):
        colour = f"C{number}"
        axes.plot(*series(lines, name), color=colour, label=name)
        steps, values = series(lines, _EVAL + name)
        if steps:
            is_trained = any(name in line for line in lines)
            axes.plot(
                steps,
                values,
                # What is only held out has no line of training to follow.
                "o" if is_trained else "o-",
                color=colour,
                markeredgecolor="white",
                # Not in the legend, which would cover half of the panel.
                label=f"_{name}, held out",
            )
    if len(axes.get_lines()) > 1:
        axes.legend(fontsize="small")
    if not names:
        axes.set_axis_off()
