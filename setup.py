"""What tfp_bvae is made of and what it needs; tool settings are in pyproject.toml."""

from pathlib import Path

from setuptools import find_packages, setup

HERE = Path(__file__).parent
NAMESPACE: dict[str, str] = {}
for line in (HERE / "tfp_bvae" / "__init__.py").read_text(encoding="utf-8").splitlines():
    if line.startswith("__version__"):
        exec(line, NAMESPACE)

CORE = [
    # tf-keras pins TensorFlow to its own minor version, so the two always move together.
    # TensorFlow has wheels for Python 3.13 from 2.20 on; pip picks what fits.
    "tensorflow>=2.18,<2.22",
    "tf-keras>=2.18,<2.22",
    "tensorflow-probability>=0.25,<0.26",
    # TensorFlow Probability 0.25 already loses two bijectors (none used here) to numpy 2.4.
    "numpy>=1.26,<2.5",
    # The cap is TensorFlow's own.
    "h5py>=3.11,<3.15",
    # One process at a time writes into the folder of a run.
    "filelock>=3.13",
    # Labelled trials and posteriors, in memory and as netCDF.
    "h5netcdf>=1.3",
    "xarray>=2024.10",
]

EXTRAS = {
    "data": [
        "pooch>=1.8",
        "pynapple>=0.9",
        "pynwb>=2.8",
        "scipy>=1.12",
        "zarr>=2.18",
    ],
    "metrics": ["scikit-learn>=1.4"],
    "plots": ["matplotlib>=3.8"],
    "tensorboard": ["tensorboard>=2.18"],
    "tune": ["ray[tune]>=2.40,<3"],
    "yaml": ["pyyaml>=6.0"],
    "docs": [
        "furo>=2024.8",
        "jupytext>=1.16",
        "matplotlib>=3.8",
        "myst-nb>=1.1",
        "ray[tune]>=2.40,<3",
        "scikit-learn>=1.4",
        "sphinx>=8.1,<10",
        "sphinx-copybutton>=0.5.2",
        "sphinx-design>=0.6",
        "sphinx-mathjax-offline>=0.0.2",
    ],
    "test": [
        "hypothesis>=6.100",
        "pooch>=1.8",
        "pynapple>=0.9",
        "pynwb>=2.8",
        "pytest>=8.0",
        "pytest-xdist>=3.5",
        "pyyaml>=6.0",
        "scikit-learn>=1.4",
        "scipy>=1.12",
        "zarr>=2.18",
    ],
}
USERS = ("data", "metrics", "plots", "tensorboard", "tune", "yaml")
# Everything a user of the package may want; `docs` and `test` are for those who work on it.
EXTRAS["all"] = sorted({need for name in USERS for need in EXTRAS[name]})

setup(
    name="tfp_bvae",
    version=NAMESPACE["__version__"],
    description="Probabilistic Keras layers and priors for beta-VAEs of spiking data, and LFADS",
    long_description=(HERE / "README.md").read_text(encoding="utf-8"),
    long_description_content_type="text/markdown",
    author="tfp_bvae developers",
    license="Apache-2.0",
    license_files=["LICENSE"],
    keywords=["LFADS", "variational autoencoder", "neural population dynamics", "spikes", "Keras"],
    classifiers=[
        "Development Status :: 4 - Beta",
        "Intended Audience :: Science/Research",
        "Operating System :: OS Independent",
        "Programming Language :: Python :: 3",
        "Programming Language :: Python :: 3.10",
        "Programming Language :: Python :: 3.11",
        "Programming Language :: Python :: 3.12",
        "Programming Language :: Python :: 3.13",
        "Topic :: Scientific/Engineering :: Artificial Intelligence",
        "Topic :: Scientific/Engineering :: Bio-Informatics",
    ],
    packages=find_packages(include=["tfp_bvae", "tfp_bvae.*"]),
    python_requires=">=3.10,<3.14",
    install_requires=CORE,
    extras_require=EXTRAS,
    entry_points={"console_scripts": ["tfp-bvae = tfp_bvae.cli:main"]},
    zip_safe=False,
)
