"""Writes values.json: what SciPy, statsmodels and definitions written out say of small examples.

    pip install numpy scipy statsmodels
    python make.py > values.json

The file was written with NumPy 2.4.6, SciPy 1.17.1 and statsmodels 0.15.0. Where neither program has a statistic, its
definition is evaluated another way than in the crate: Fieller's ends as roots of the test, DeLong's components as
means over all pairs of items, the power of an equivalence test by SciPy's adaptive quadrature.
"""

import json
import math

import numpy as np
from scipy import integrate, optimize, special, stats
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.power import TTestPower
from statsmodels.stats.proportion import proportion_confint
from statsmodels.stats.weightstats import DescrStatsW

VALUES = [0.61, 0.58, 0.66, 0.63, 0.6, 0.71]
PAIRS = [(2.1, 1.0), (1.9, 0.9), (2.4, 1.2), (2.0, 1.1), (2.3, 0.95)]


def quantile_of(level, sides):
    return (1 + level) / 2 if sides == "two" else level


def student():
    cases = []
    for values in (VALUES, VALUES[:2], VALUES[:3]):
        for level, sides in ((0.95, "two"), (0.95, "one"), (0.999, "two")):
            q = quantile_of(level, sides)
            t = stats.t(len(values) - 1, np.mean(values), stats.sem(values))
            cases.append({"values": values, "level": level, "sides": sides, "ends": [t.ppf(1 - q), t.ppf(q)]})
    return cases


def tests():
    cases = []
    for bound in (0.5, 0.62, 0.7):
        for word in ("greater", "less", "two-sided"):
            found = stats.ttest_1samp(VALUES, bound, alternative=word)
            cases.append({"bound": bound, "alternative": word, "t": found.statistic, "p": found.pvalue})
    return {"values": VALUES, "cases": cases}


def tost():
    cases = []
    for low, high in ((0.5, 0.7), (0.6, 0.65), (0.61, 0.8)):
        p, above, below = DescrStatsW(VALUES).ttost_mean(low, high)
        cases.append({"low": low, "high": high, "p": p, "above": above[1], "below": below[1]})
    return {"values": VALUES, "cases": cases}


def logit():
    cases = []
    for values in ([0.99, 1.0, 0.97], [0.3, 0.5, 0.4, 0.62], [0.0, 0.01, 0.0]):
        m = np.mean(values)
        half = stats.t.ppf(0.975, len(values) - 1) * stats.sem(values) / (m * (1 - m))
        ends = special.expit(special.logit(m) + np.array([-half, half]))
        cases.append({"values": values, "ends": list(ends)})
    return cases


def counts():
    cases = []
    for k, n in ((0, 7), (3, 7), (7, 7), (41, 60), (999, 1000), (12345, 100000)):
        cases.append({
            "k": k,
            "n": n,
            "exact": list(proportion_confint(k, n, 0.05, "beta")),
            "wilson": list(stats.binomtest(k, n).proportion_ci(0.95, "wilson")),
        })
    return cases


def roots(distance, estimate):
    """Where the squared test statistic less its bound crosses zero, left and right of the estimate."""
    ends = []
    for sign in (-1, 1):
        step = 1e-3
        while distance(estimate + sign * step) < 0:
            step *= 1.5
        ends.append(optimize.brentq(distance, *sorted((estimate, estimate + sign * step)), xtol=1e-14, rtol=1e-14))
    return ends


def fieller():
    x, y = np.array(PAIRS).T
    q = stats.t.ppf(0.975, len(x) - 1) ** 2
    paired = roots(lambda r: np.mean(x - r * y) ** 2 - q * np.var(x - r * y, ddof=1) / len(x), np.mean(x) / np.mean(y))
    first, second = x, y[:4]
    freedom = len(first) + len(second) - 2
    pooled = (np.sum((first - first.mean()) ** 2) + np.sum((second - second.mean()) ** 2)) / freedom
    q = stats.t.ppf(0.975, freedom) ** 2
    own = roots(
        lambda r: (first.mean() - r * second.mean()) ** 2 - q * pooled * (1 / len(first) + r * r / len(second)),
        first.mean() / second.mean(),
    )
    return {"pairs": PAIRS, "paired": paired, "second": list(second), "independent": own}


def holm():
    p = [0.04, 0.001, 0.5, 0.012, 0.012, 0.3, 0.0251]
    return {"p": p, "adjusted": list(multipletests(p, method="holm")[1])}


def scores(n):
    """Two scores of each item, with ties; repeated in ../it/golden.rs."""
    i = np.arange(n)
    positive = i * 7919 % 10 < 3
    first = i * i * 31 % 97 / 10 + 2.0 * positive
    second = (i * i * 17 + 5 * i) % 89 / 10 + 3.0 * positive
    return first, second, positive


def components(score, positive):
    x, y = score[positive][:, None], score[~positive][None, :]
    psi = (x > y) + 0.5 * (x == y)
    return psi.mean(), psi.mean(1), psi.mean(0)


def delong():
    cases = []
    for n in (20, 150, 500):
        first, second, positive = scores(n)
        a, b = components(first, positive), components(second, positive)
        covariance = sum(np.cov(np.stack([a[k], b[k]]), ddof=1) / len(a[k]) for k in (1, 2))
        difference = np.array([1, -1]) @ covariance @ np.array([1, -1])
        z = (a[0] - b[0]) / math.sqrt(difference)
        half = stats.norm.ppf(0.975) * math.sqrt(covariance[0, 0]) / (a[0] * (1 - a[0]))
        cases.append({
            "n": n,
            "areas": [a[0], b[0]],
            "variances": [covariance[0, 0], covariance[1, 1]],
            "covariance": covariance[0, 1],
            "p": 2 * stats.norm.sf(abs(z)),
            "ends": list(special.expit(special.logit(a[0]) + np.array([-half, half]))),
        })
    return cases


def power():
    cases = []
    for n in (2, 3, 5, 10, 40, 300):
        for effect, sd, error in ((0.5, 1.0, 0.05), (1.3, 0.7, 0.01), (0.02, 0.2, 0.05)):
            for aim, word in (("beyond", "larger"), ("different", "two-sided")):
                of = nct_power(effect / sd, n, error, word)
                # statsmodels takes SciPy's non-central t, which gives no number where power is nearly 1.
                other = TTestPower().power(effect / sd, n, error, alternative=word)
                assert abs(other - of) < 1e-9 or (math.isnan(other) and of > 0.999), (n, effect, other, of)
                cases.append({"aim": aim, "n": n, "effect": effect, "sd": sd, "error": error, "power": of})
    for n in (2, 3, 5, 10, 40, 300):
        for effect, margin, sd in ((0.0, 1.0, 0.5), (0.3, 0.5, 0.4), (0.1, 2.0, 1.0)):
            of = tost_power(effect, margin, sd, n, 0.05)
            own = {"aim": "equivalent", "n": n, "effect": effect, "margin": margin, "sd": sd, "error": 0.05}
            cases.append(own | {"power": of})
    return cases


def over_spread(freedom, function, ends):
    """The mean of a function of s, with freedom * s ** 2 of chi squared."""
    law = stats.chi(freedom, scale=1 / math.sqrt(freedom))
    ends = sorted({0.0, *(end for end in ends if 0 < end < 12), 12.0})
    weighted = lambda s: function(s) * law.pdf(s)
    exact = {"epsabs": 1e-14, "epsrel": 1e-13, "limit": 400}
    return sum(integrate.quad(weighted, *pair, **exact)[0] for pair in zip(ends, ends[1:]))


def nct_power(effect, n, error, word):
    q = stats.t.ppf(1 - (error / 2 if word == "two-sided" else error), n - 1)
    delta = effect * math.sqrt(n)
    ends = [0.7, 0.9, 1.0, 1.1, 1.3, 2.0, (delta - 6) / q, delta / q, (delta + 6) / q, 6 / q]
    lower = (lambda s: stats.norm.cdf(-delta - q * s)) if word == "two-sided" else (lambda s: 0.0)
    return over_spread(n - 1, lambda s: special.ndtr(delta - q * s) + lower(s), ends)


def tost_power(effect, margin, sd, n, error):
    q = stats.t.ppf(1 - error, n - 1)
    scale = math.sqrt(n) / sd
    low, high = (-margin - effect) * scale, (margin - effect) * scale
    largest = margin * scale / q
    inside = lambda s: max(0.0, special.ndtr(high - q * s) - special.ndtr(low + q * s)) if s < largest else 0.0
    ends = [0.7, 0.9, 1.0, 1.1, 1.3, 2.0, largest, high / q, -low / q, (high + 6) / q, (high - 6) / q]
    return over_spread(n - 1, inside, ends)


def bca():
    """Draws and a jackknife that formulas give; the values stand in ../../src/bootstrap.rs."""
    sample = np.array([1.0, 2.0, 4.0, 8.0, 9.0, 3.5])
    draws = np.sort((np.arange(999) * 7919 % 997) / 997 * 5 + 2.2 + (np.arange(999) % 7) ** 2 / 30)
    seen = stats.bootstrap((sample,), np.mean, n_resamples=50, method="percentile", rng=1)
    seen.bootstrap_distribution = draws
    ends = stats.bootstrap((sample,), np.mean, n_resamples=0, bootstrap_result=seen, confidence_level=0.9, method="BCa")
    return list(ends.confidence_interval)


print(json.dumps({
    "student": student(),
    "tests": tests(),
    "tost": tost(),
    "logit": logit(),
    "counts": counts(),
    "fieller": fieller(),
    "holm": holm(),
    "delong": delong(),
    "power": power(),
    "bca": bca(),
}, separators=(",", ":")))
