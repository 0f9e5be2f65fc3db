"""The files that evaluate_classifier writes."""

import base64
import html
import io
import json
import re
import unicodedata
from html.parser import HTMLParser

import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.figure import Figure
from PIL import Image
from sklearn.neighbors import KNeighborsClassifier
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import FunctionTransformer
from sklearn.svm import LinearSVC

from skfashion.evaluation import evaluate_classifier

ALWAYS = {
    "metrics.json",
    "classification_report.txt",
    "confusion_matrix.png",
    "misclassified.png",
    "sample_predictions.txt",
    "report.html",
}
CURVES = {"training_curves.png", "accuracy_curve.png", "loss_curve.png"}
VOID = {"meta", "img", "br"}
TAGS = {
    *VOID,
    *("html", "head", "title", "style", "body", "footer", "h1", "h2", "p", "pre", "div", "small"),
    *("dl", "dt", "dd", "table", "caption", "thead", "tbody", "tr", "th", "td"),
    *("figure", "figcaption", "span", "bdi"),
}
AWKWARD = ["<b>T-shirt & top</b>", 'a "bag"', "it's", "</td>", "{{ 7 * 7 }}", "50 %", "$", "$$"]


def names_in(folder):
    return {path.name for path in folder.iterdir()}


def read_metrics(folder):
    """As strict readers of JSON do."""

    def refuse(constant):
        raise ValueError(f"{constant} is no JSON")

    text = folder.joinpath("metrics.json").read_text(encoding="utf-8")
    return json.loads(text, parse_constant=refuse)


def read_samples(folder):
    """The lines of sample_predictions.txt, as dictionaries; names must be one word each."""
    header, _, *rows = folder.joinpath("sample_predictions.txt").read_text().splitlines()
    columns = ["image", *header.split()]
    return [dict(zip(columns, row.split(), strict=True)) for row in rows]


class Page(HTMLParser):
    """What is in a report, which must be well-formed."""

    def __init__(self, folder):
        super().__init__()
        self.html = folder.joinpath("report.html").read_text(encoding="utf-8")
        self.open, self.addresses, self.images, self.headings = [], [], [], []
        self.cells, self.captions, self.isolated, self.text = [], [], [], ""
        self.feed(self.html)
        self.close()
        assert not self.open

    def handle_starttag(self, tag, attributes):
        assert tag in TAGS
        attributes = dict(attributes)
        self.addresses += [attributes[name] for name in ("src", "href") if name in attributes]
        if tag == "img":
            self.images.append((attributes["alt"], attributes["src"]))
        for opener, kept in (
            ("td", self.cells),
            ("figcaption", self.captions),
            ("bdi", self.isolated),
        ):
            if tag == opener:
                kept.append("")
        if tag == "h2":
            self.headings.append("")
        if tag == "br":
            self.handle_data("\n")
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if "style" in self.open:
            return
        self.text += data
        for opener, kept in (
            ("td", self.cells),
            ("figcaption", self.captions),
            ("h2", self.headings),
            ("bdi", self.isolated),
        ):
            if opener in self.open:
                kept[-1] += data

    def pictures(self, beginning):
        """Those whose description begins so, as arrays."""
        for alt, address in self.images:
            if alt.startswith(beginning):
                png = base64.b64decode(address.removeprefix("data:image/png;base64,"))
                yield np.asarray(Image.open(io.BytesIO(png)))


def memorize(X, labels):
    """A classifier that predicts these labels for these images."""
    return KNeighborsClassifier(1).fit(X, labels)


@pytest.fixture
def drawn(monkeypatch):
    """Figures that were saved, by the bytes of their PNG."""
    figures = {}
    savefig = Figure.savefig

    def record(figure, file, *args, **kwargs):
        savefig(figure, file, *args, **kwargs)
        figures[file.getvalue()] = figure

    monkeypatch.setattr(Figure, "savefig", record)
    return figures


@pytest.fixture(scope="module")
def networks_report(fitted, unseen, words, tmp_path_factory):
    """The evaluation of a network, and the folder of its report."""
    folder = tmp_path_factory.mktemp("report")
    evaluation = evaluate_classifier(
        fitted, *unseen, output_dir=folder, target_names=words.tolist()
    )
    return evaluation, folder


def test_files(searched, unseen, tmp_path):
    """In a folder that is made."""
    folder = tmp_path / "new" / "folder"
    evaluation = evaluate_classifier(searched, *unseen, output_dir=str(folder))
    assert names_in(folder) == ALWAYS | CURVES == set(evaluation.report_files)
    assert not plt.get_fignums()


@pytest.mark.filterwarnings("ignore:Stochastic Optimizer")
def test_network_without_accuracy(digits, unseen, tmp_path):
    network = MLPClassifier(8, max_iter=5, random_state=0).fit(*digits)
    evaluate_classifier(network, *unseen, output_dir=tmp_path)
    assert names_in(tmp_path) == ALWAYS | CURVES - {"accuracy_curve.png"}


def test_another_report_in_the_folder(fitted, forest, unseen, tmp_path):
    """Is replaced; files that are not of it stay."""
    evaluate_classifier(fitted, *unseen, output_dir=tmp_path)
    assert names_in(tmp_path) == ALWAYS | CURVES
    tmp_path.joinpath("notes.txt").write_text("mine")
    tmp_path.joinpath("curves").mkdir()
    evaluation = evaluate_classifier(forest, *unseen, output_dir=tmp_path)
    assert names_in(tmp_path) == ALWAYS | {"notes.txt", "curves"}
    assert tmp_path.joinpath("notes.txt").read_text() == "mine"
    assert read_metrics(tmp_path)["accuracy"] == evaluation.accuracy


def test_all_or_nothing(forest, unseen, tmp_path):
    for name in ALWAYS | CURVES:
        tmp_path.joinpath(name).write_text("earlier")
    evaluation = evaluate_classifier(forest, *unseen)
    with pytest.raises(ValueError, match=r"about must not have the keys of figures.*'accuracy'"):
        evaluation.save(tmp_path, about={"accuracy": 1})
    assert names_in(tmp_path) == ALWAYS | CURVES
    assert {path.read_text() for path in tmp_path.iterdir()} == {"earlier"}


def test_others_can_read_it(networks_report, tmp_path):
    tmp_path.joinpath("plain").touch()
    modes = {path.stat().st_mode for path in networks_report[1].iterdir()}
    assert modes == {tmp_path.joinpath("plain").stat().st_mode}


def test_metrics(networks_report):
    evaluation, folder = networks_report
    metrics = read_metrics(folder)
    assert metrics == evaluation.to_dict()
    assert metrics["n_test"] == 100
    assert metrics["accuracy"] == evaluation.accuracy
    assert metrics["accuracy_interval"] == list(evaluation.accuracy_interval)
    for name in ("log_loss", "brier_score", "expected_calibration_error", "seconds_per_image"):
        assert metrics[name] == getattr(evaluation, name) > 0
    assert metrics["confusion_matrix"] == evaluation.confusion_matrix.tolist()
    assert metrics["per_class"]["six"] == evaluation.per_class.loc["six"].to_dict()
    assert metrics["most_confused"] == evaluation.most_confused.to_dict(orient="records")
    assert metrics["estimator"] == repr(evaluation.estimator)
    assert {"skfashion", "scikit-learn", "keras", "tensorflow"} <= metrics["versions"].keys()


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ("/home/alice/private/run", "'run'"),
        ("/home/o'neil/private/run", '"run"'),
        ("C:\\Users\\alice\\run", "'run'"),
        ("sqlite:////home/alice/private/trials.db", "'trials.db'"),
        ("postgresql://alice:secret@host/trials", "'trials'"),
        ("/home/alice/" + 80 * "private/" + "run", "run'"),
        ("cache/run", "'cache/run'"),
        ("\\w+/x", "'\\\\w+/x'"),
    ],
)
def test_paths_among_the_parameters(digits, unseen, tmp_path, given, shown):
    """Only their last part is in the report."""
    estimator = memorize(*digits)
    pipeline = Pipeline([("classifier", estimator)], memory=given)
    evaluate_classifier(pipeline, *unseen, output_dir=tmp_path)
    description = read_metrics(tmp_path)["estimator"]
    assert shown in description
    for text in (description, html.unescape(Page(tmp_path).html)):
        assert "alice" not in text
        assert "neil" not in text
        assert "private" not in text


def test_classes_without_test_images(forest, unseen, words, tmp_path):
    X, y = unseen
    X, y = X[y == 3], y[y == 3]
    evaluate_classifier(forest, X, y, output_dir=tmp_path, target_names=words)
    metrics = read_metrics(tmp_path)
    assert metrics["per_class"]["four"]["recall"] is None
    assert metrics["per_class"]["three"]["support"] == len(y)
    cells = Page(tmp_path).cells
    row = cells.index("zero")
    assert cells[row + 1 : row + 5] == ["–", "–", "–", "0"]  # noqa: RUF001


def test_report_in_words(networks_report):
    evaluation, folder = networks_report
    text = folder.joinpath("classification_report.txt").read_text()
    assert text.rstrip() == evaluation.classification_report().rstrip()


def test_samples(networks_report, unseen, words):
    """Evenly spread over the test images."""
    evaluation, folder = networks_report
    samples = read_samples(folder)
    assert len(samples) == 20
    rows = [int(sample["image"]) for sample in samples]
    assert (rows[0], rows[-1]) == (0, 99)
    assert set(np.diff(rows)) == {5, 6}
    X, y = unseen
    y_pred = evaluation.estimator.predict(X)
    probabilities = evaluation.estimator.predict_proba(X).max(axis=1)
    for row, sample in zip(rows, samples, strict=True):
        assert sample == {
            "image": str(row),
            "true": words[y[row]],
            "predicted": words[y_pred[row]],
            "probability": f"{probabilities[row]:.3f}",
            "right": "yes" if y[row] == y_pred[row] else "NO",
        }


def test_pictures(drawn, make_small, digits, unseen, words, tmp_path):
    X, y = digits
    network = make_small(early_stopping=True).fit(X, y, X_val=X[:50], y_val=y[:50])
    evaluation = evaluate_classifier(network, *unseen, output_dir=tmp_path, target_names=words)
    figures = {path.stem: drawn[path.read_bytes()] for path in tmp_path.glob("*.png")}

    matrix = figures["confusion_matrix"].axes[0]
    assert (matrix.get_xlabel(), matrix.get_ylabel()) == ("Predicted class", "True class")
    for axis in (matrix.xaxis, matrix.yaxis):
        assert [label.get_text() for label in axis.get_ticklabels()] == list(words)
    written = [int(text.get_text()) for text in matrix.texts]
    assert written == evaluation.confusion_matrix.ravel().tolist()
    assert matrix.get_title() == f"100 test images, accuracy {evaluation.accuracy:.3f}"

    y_true, y_pred = unseen[1], network.predict(unseen[0])
    confidence = network.predict_proba(unseen[0]).max(axis=1)
    wrong = sorted(np.flatnonzero(y_true != y_pred), key=lambda i: -confidence[i])
    titles = [ax.get_title() for ax in figures["misclassified"].axes if ax.images]
    assert titles == [
        f"{words[y_pred[i]]} ({100 * confidence[i]:.0f}%)\ntrue: {words[y_true[i]]}"
        for i in wrong[:20]
    ]
    heading = figures["misclassified"].get_suptitle()
    assert f"{len(wrong)} errors in 100 images, the most confident first" in heading

    for name, curve in (("loss_curve", "loss"), ("accuracy_curve", "accuracy")):
        (ax,) = figures[name].axes
        assert ax.get_ylabel() == curve.capitalize()
        for line, key in zip(ax.lines, (curve, f"val_{curve}"), strict=False):
            np.testing.assert_array_equal(line.get_ydata(), network.history_[key])
    together = [ax.get_ylabel() for ax in figures["training_curves"].axes if ax.has_data()]
    assert together == ["Loss", "Accuracy", "Learning rate"]


def test_many_classes_with_long_names(drawn, unseen, tmp_path):
    """Names are within the picture; numbers would be too small to read."""
    X, y = unseen[0], np.arange(100) % 25
    names = [f"a rather long name of class {i}" for i in range(25)]
    evaluate_classifier(memorize(X, y), X, y, output_dir=tmp_path, target_names=names)
    figure = drawn[tmp_path.joinpath("confusion_matrix.png").read_bytes()]
    assert not figure.axes[0].texts
    assert len(read_metrics(tmp_path)["confusion_matrix"]) == 25
    figure.draw_without_rendering()
    page = figure.bbox.padded(2)
    for label in (*figure.axes[0].get_xticklabels(), *figure.axes[0].get_yticklabels()):
        box = label.get_window_extent()
        assert page.contains(*box.min)
        assert page.contains(*box.max)


def test_all_right(drawn, unseen, tmp_path):
    X, y = unseen
    evaluation = evaluate_classifier(memorize(X, y), X, y, output_dir=tmp_path)
    figure = drawn[tmp_path.joinpath("misclassified.png").read_bytes()]
    assert figure.get_suptitle() == "No errors in 100 images"
    assert [text.get_text() for ax in figure.axes for text in ax.texts] == ["None"]
    assert read_metrics(tmp_path)["most_confused"] == evaluation.to_dict()["most_confused"] == []
    page = Page(tmp_path)
    assert "100 of 100 test images are classified right" in page.text
    assert "No errors in 100 images." in page.text
    assert len(page.captions) == 20
    assert {sample["right"] for sample in read_samples(tmp_path)} == {"yes"}


def test_all_wrong(unseen, tmp_path):
    X, y = unseen
    evaluate_classifier(memorize(X, (y + 1) % 10), X, y, output_dir=tmp_path)
    page = Page(tmp_path)
    assert "0 of 100 test images are classified right" in page.text
    assert "20 of the 100 errors in 100 images" in page.text
    assert len(page.captions) == 40


def test_two_classes(digits, unseen, tmp_path):
    labels = np.array(["even", "odd"])
    classifier = KNeighborsClassifier(7).fit(digits[0], labels[digits[1] % 2])
    evaluate_classifier(classifier, unseen[0], labels[unseen[1] % 2], output_dir=tmp_path)
    assert names_in(tmp_path) == ALWAYS
    assert read_metrics(tmp_path)["class_names"] == ["even", "odd"]
    assert len(list(Page(tmp_path).pictures("Share of right predictions"))) == 1


def test_page_is_one_file(networks_report):
    """It asks no other machine for anything."""
    page = Page(networks_report[1])
    assert len(page.addresses) == len(page.images) > 20
    assert all(address.startswith("data:image/png;base64,") for address in page.addresses)
    without_data = re.sub(r"data:image/png;base64,[\w+/=]*", "", page.html)
    for other in ("http", "url(", "@import", "<script", "//"):
        assert other not in without_data


def test_figures_on_the_page(networks_report):
    evaluation, folder = networks_report
    page = Page(folder)
    low, high = evaluation.accuracy_interval
    n_errors = evaluation.n_errors
    for expected in (
        f"{100 - n_errors} of 100 test images are classified right",
        f"{evaluation.accuracy:.4f}95% interval {low:.3f} to {high:.3f}",
        f"{n_errors}of 100 images",
        f"Log loss{evaluation.log_loss:.3f}",
        f"Brier score{evaluation.brier_score:.3f}",
        f"Expected calibration error{evaluation.expected_calibration_error:.3f}",
        f"Time to predict{1000 * evaluation.seconds_per_image:.3f} ms",
    ):
        assert expected in page.text
    for name, row in evaluation.per_class.iterrows():
        cells = [name, *(f"{value:.3f}" for value in row[:3]), f"{row['support']:.0f}"]
        assert "|".join(cells) in "|".join(page.cells)
    for row in evaluation.most_confused.itertuples():
        cells = [row.true, row.predicted, str(row.n_images), f"{100 * row.share:.1f}%"]
        assert "|".join(cells) in "|".join(page.cells)
    assert str(evaluation.estimator) in page.cells


def test_images_on_the_page(networks_report, unseen, words):
    """Errors, the most confident first, then samples; as they are, pixel by pixel."""
    evaluation, folder = networks_report
    page = Page(folder)
    X, y = unseen
    y_pred = evaluation.estimator.predict(X)
    confidence = evaluation.estimator.predict_proba(X).max(axis=1)
    wrong = sorted(np.flatnonzero(y_pred != y), key=lambda i: -confidence[i])
    samples = [int(sample["image"]) for sample in read_samples(folder)]
    rows = [*wrong, *samples]
    assert page.captions == [
        f"{words[y_pred[i]]} ({100 * confidence[i]:.0f}%)\ntrue: {words[y[i]]}" for i in rows
    ]
    expected = X[rows].reshape(-1, 8, 8) / 16 * 255
    np.testing.assert_allclose(list(page.pictures("Image of class")), expected, atol=0.5)


def test_pictures_on_the_page(networks_report):
    """The same as in the folder, each with a description."""
    _, folder = networks_report
    page = Page(folder)
    embedded = {
        alt: base64.b64decode(address.removeprefix("data:image/png;base64,"))
        for alt, address in page.images
        if not alt.startswith("Image of class")
    }
    for beginning, file in (
        ("Confusion matrix", "confusion_matrix.png"),
        ("Loss by epoch", "loss_curve.png"),
        ("Accuracy by epoch", "accuracy_curve.png"),
    ):
        (picture,) = (png for alt, png in embedded.items() if alt.startswith(beginning))
        assert picture == folder.joinpath(file).read_bytes()
    assert "Learning rate by epoch" in embedded
    assert "How did the training go?" in page.headings


def test_few_images_without_probabilities(digits, unseen, tmp_path):
    X, y = unseen[0][:7], unseen[1][:7]
    svm = LinearSVC(random_state=0).fit(*digits)
    evaluate_classifier(svm, X, y, output_dir=tmp_path)
    samples = read_samples(tmp_path)
    assert [sample["predicted"] for sample in samples] == svm.predict(X).astype(str).tolist()
    assert "probability" not in samples[0]
    page = Page(tmp_path)
    assert len(page.captions) >= 7
    assert "%" not in "".join(page.captions)
    assert not list(page.pictures("Share of right predictions"))
    for absent in ("Log loss", "Brier score", "Expected calibration error", "None", "nan"):
        assert absent not in page.text
    assert "Can its probabilities be trusted?" not in page.headings


def test_awkward_text(forest, unseen, tmp_path):
    """It is shown as it is: none is markup, a template or a formula."""
    names = [*AWKWARD, "Ärmel", "  spaced  "]
    pipeline = make_pipeline(FunctionTransformer(inv_kw_args={"<b>": "&"}), forest)
    evaluation = evaluate_classifier(pipeline, *unseen, target_names=names)
    about = {"data": "<digits>", "n_train": 300, "training": {"seconds": 1.5, "batch_size": 50}}
    evaluation.save(tmp_path, about=about)
    metrics = read_metrics(tmp_path)
    assert metrics["class_names"] == evaluation.class_names == names
    assert {name: metrics[name] for name in about} == about
    page = Page(tmp_path)
    assert "<b>" not in page.html
    assert "&lt;b&gt;T-shirt &amp; top&lt;/b&gt;" in page.html
    assert {*names, str(pipeline), "<digits>", "seconds 1.5, batch size 50"} <= set(page.cells)
    assert "training images" in page.text
    assert not [alt for alt, _ in page.images if alt.endswith("by epoch")]
    assert "How did the training go?" not in page.headings


HOSTILE = [
    "\x1b[2J\x1b[31mred",
    "two\nlines",
    "\ttab\r",
    "\u202ereversed\u202c",
    "\u2067isolated\u2069",
    "marks\u200e\u200f\u061c",
    "\x9b31m",
    "half\udcff",
    "\x07bell\x7f",
    "line\u2028line",
]
HARMLESS = [
    "قميص",
    "חולצה",
    "衬衫",
    "T-shirt à manches",
    "\N{WOMAN}\u200d\N{ROCKET}",  # an astronaut, joined
    "\N{BLACK HEART SUIT}\ufe0f",
    "می\u200cخواهم",  # noqa: RUF001  (a joiner keeps letters apart)
    "\U0001f3f4\U000e0067\U000e0062\U000e007f",  # a flag, with tags
    "back\\slash",
    "sp ace",
]

BIDIRECTIONAL = {"LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"}


def hidden_in(text):
    """Characters that a terminal obeys or that reorder others."""
    return {
        char
        for char in text
        if unicodedata.category(char) in {"Cc", "Cs", "Zl", "Zp"}
        or unicodedata.bidirectional(char) in BIDIRECTIONAL
        or char in "\u200e\u200f\u061c"
    }


def test_names_with_control_characters(forest, unseen, tmp_path, drawn):
    """Control characters are escaped in texts and pictures, not in the metrics."""
    evaluation = evaluate_classifier(forest, *unseen, target_names=HOSTILE)
    assert evaluation.class_names == HOSTILE
    evaluation.save(tmp_path, about={"data": HOSTILE[3]})
    metrics = tmp_path.joinpath("metrics.json").read_text()
    assert json.loads(metrics)["class_names"] == HOSTILE
    for name in ("classification_report.txt", "sample_predictions.txt", "report.html"):
        text = tmp_path.joinpath(name).read_text(encoding="utf-8")
        assert hidden_in(text) == {"\n"}
        for shown in (r"\x1b[2J\x1b[31mred", r"two\nlines", r"\u202ereversed\u202c", r"half\udcff"):
            assert shown in text
    assert not hidden_in(metrics) - {"\n"}
    matrix = drawn[tmp_path.joinpath("confusion_matrix.png").read_bytes()].axes[0]
    assert not hidden_in("".join(label.get_text() for label in matrix.get_xticklabels()))


@pytest.mark.filterwarnings("ignore:Glyph .* missing from font")
def test_names_in_all_scripts(forest, unseen, tmp_path):
    """Names in any writing system are unchanged, and do not reorder the page."""
    evaluate_classifier(forest, *unseen, target_names=HARMLESS, output_dir=tmp_path)
    page = Page(tmp_path)
    assert set(HARMLESS) <= set(page.cells)
    assert set(HARMLESS) <= set(page.isolated)
    report = tmp_path.joinpath("classification_report.txt").read_text(encoding="utf-8")
    assert all(name in report for name in HARMLESS)


def test_what_json_does_not_know(forest, unseen, tmp_path):
    evaluation = evaluate_classifier(forest, unseen[0][:5], unseen[1][:5])
    about = {"data": tmp_path, "seconds": np.float32(1.5), "val_loss": np.nan, "n": np.int64(3)}
    evaluation.save(tmp_path, about=about)
    metrics = read_metrics(tmp_path)
    assert metrics["data"] == str(tmp_path)
    assert metrics["seconds"] in (1.5, "1.5")
    assert metrics["val_loss"] in (None, "nan")
    assert metrics["n"] in (3, "3")


def test_colours(of_colours, coloured, tmp_path):
    X, y = coloured[0][:5], coloured[1][:5]
    evaluate_classifier(of_colours, X, y, output_dir=tmp_path)
    np.testing.assert_array_equal(list(Page(tmp_path).pictures("Image of class"))[-5:], X)


def test_images_that_are_not_square(oblong, unseen, tmp_path):
    evaluate_classifier(oblong, unseen[0][:5], unseen[1][:5], output_dir=tmp_path)
    page = Page(tmp_path)
    assert {image.shape for image in page.pictures("Image of class")} == {(4, 16)}
    assert not list(page.pictures("Share of right predictions"))  # too few to say
